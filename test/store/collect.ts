import type { Row } from '../../src/model/row.js';
import type { RowFilter, Store } from '../../src/store/contract.js';

export const LANE = { partition: 0, partitions: 1, journalId: 'contract' };

/** All rows that a store gives. */
export async function collect(store: Store, filter?: RowFilter): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const each of store.read!.rows(filter)) rows.push(each);
  return rows;
}
