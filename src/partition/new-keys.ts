import { WORDS_PER_ROW } from '../model/row.js';
import type { PendingRows } from './pending.js';
import { RowMap } from './rowmap.js';

/** How many keys would be added by folding these packed rows. A key that is reported again and again is one. */
export function newKeys(pending: Pick<PendingRows, 'has'>, rows: Int32Array): number {
  const added = new RowMap();
  for (let at = 0; at < rows.length; at += WORDS_PER_ROW) if (!pending.has(rows, at)) added.put(rows, at);
  return added.size;
}
