import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreError } from '../../src/model/errors.js';
import type { Row, RowBatch } from '../../src/model/row.js';
import type { Store, StoreLane, StoreWriter } from '../../src/store/store.js';

/**
 * A store in memory that watches the order of what it is given. Senders number the reports of each key in `succ`,
 * rising; the store notes every step backwards, and every row out of primary-key order within a statement.
 */
export class WatchedStore implements Store {
  readonly description = 'watched';
  /** Newest number of each key. */
  readonly rows = new Map<string, Row>();
  /** What went wrong; empty is what tests want. */
  readonly violations: string[] = [];
  /** Rows taken in all. */
  taken = 0;
  /** Called before a statement takes effect; what it throws (a StoreError) the writer gets. */
  before: (rows: RowBatch, lane: StoreLane) => void | Promise<void> = () => {};
  /** Called after it took effect, before it is confirmed: a lost confirmation. */
  after: (rows: RowBatch, lane: StoreLane) => void | Promise<void> = () => {};
  readonly #inFlight = new Set<number>();

  async open(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}

  writer(lane: StoreLane): StoreWriter {
    return {
      upsert: async (rows) => {
        if (this.#inFlight.has(lane.partition))
          this.violations.push(`two statements in flight in ${lane.partition}`);
        this.#inFlight.add(lane.partition);
        try {
          await this.before(rows, lane);
          this.#apply(rows);
          await this.after(rows, lane);
        } finally {
          this.#inFlight.delete(lane.partition);
        }
      },
      close: async () => {},
    };
  }

  #apply(rows: RowBatch): void {
    let last = '';
    for (const row of rows) {
      const key = keyOf(row);
      const before = this.rows.get(key);
      if (before && before.succ > row.succ)
        this.violations.push(`${key} went from ${before.succ} to ${row.succ}`);
      const order = sortable(row);
      if (order <= last) this.violations.push(`${key} came out of primary-key order`);
      last = order;
      this.rows.set(key, row);
      this.taken++;
    }
  }
}

/** The primary key as a text. */
export function keyOf(row: Pick<Row, 'modid' | 'cmdid' | 'ip' | 'port' | 'caller'>): string {
  return [row.modid, row.cmdid, row.ip, row.port, row.caller].join('/');
}

function sortable(row: Row): string {
  return [row.modid, row.cmdid, row.ip, row.port, row.caller]
    .map((word) => String(word + 0x80000000).padStart(10, '0'))
    .join('/');
}

/** A `before` or `after` that fails a share of the statements, with numbers that a seed repeats. */
export function failing(random: () => number, share: number, error: () => StoreError) {
  return async () => {
    await sleep(random() * 3);
    if (random() < share) throw error();
  };
}

/** Pseudo-random numbers in [0, 1) that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
