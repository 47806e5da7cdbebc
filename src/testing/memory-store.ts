import { compareKeys, type Row, RowBatch } from '../model/row.js';
import type { RowFilter, RowPlace, Store, StoreLane, StoreReader, StoreWriter } from '../store/contract.js';
import { keyOf } from './rows.js';

/**
 * A store in memory: it confirms everything at once, and shows what it holds.
 *
 *     const store = new MemoryStore();
 *     const reporter = await startReporter(config, { store });
 *     await reporter.report(report);
 *     await until(() => store.rows.size === report.results.length, { boundMs: 5000, what: 'the rows' });
 */
export class MemoryStore implements Store {
  readonly description = 'memory';
  readonly #rows = new Map<string, Row>();

  /** What the store holds, by `keyOf`. */
  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  async open(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}

  writer(_lane: StoreLane): StoreWriter {
    return {
      upsert: async (rows) => {
        for (const row of rows) this.#rows.set(keyOf(row), row);
      },
      close: async () => {},
    };
  }

  readonly read: StoreReader = { rows: (filter) => this.#select(filter) };

  async *#select({ modid, cmdid, after }: RowFilter = {}): AsyncGenerator<Row> {
    const behind = after && wordsOf(after);
    for (const { row, words } of sorted(this.#rows.values())) {
      if (behind && compareKeys(words, 0, behind, 0) <= 0) continue;
      if (modid !== undefined && row.modid !== modid) continue;
      if (cmdid === undefined || row.cmdid === cmdid) yield row;
    }
  }
}

function sorted(rows: Iterable<Row>): { readonly row: Row; readonly words: Int32Array }[] {
  return [...rows]
    .map((row) => ({ row, words: wordsOf(row) }))
    .sort((a, b) => compareKeys(a.words, 0, b.words, 0));
}

function wordsOf(key: RowPlace): Int32Array {
  return RowBatch.from([{ succ: 0, err: 0, ts: 0, overload: false, ...key }]).words;
}
