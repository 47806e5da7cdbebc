import type { Row } from '../../model/row.js';
import type { CallTotals } from '../../simulation/world.js';

/** What was sent, key by key: what a table is compared with. Keys have indexes from 0 to `keys - 1`. */
export interface SentKeys {
  /** Keys that can be reported in all. */
  readonly keys: number;
  /** Keys that were reported at least once. */
  readonly distinctKeys: number;
  /** The modids of all services, rising. */
  modids(): number[];
  /** Where the key of a row stands; -1 when it is none of these. */
  indexOf(row: Row): number;
  /** Whether the key at `index` was ever reported, and its last report is known. */
  wasReported(index: number): boolean;
  /** Whether a row is what the last report of the key at `index` may leave in the table. */
  isLast(index: number, row: Row): boolean;
  /** A row that the last report of the key at `index` may leave in the table. */
  lastRow(index: number): Row;
  /** The indexes of all reported keys of a modid. */
  reportedKeys(modid: number): Iterable<number>;
}

/** What agents send. */
export interface Traffic extends SentKeys {
  readonly shape: {
    readonly agents: number;
    /** Services that each agent reports on. */
    readonly services: number;
    /** Hosts of a service. */
    readonly hosts: number;
    readonly seed: number;
  };
  /** Room that any report fits in, in bytes. */
  readonly maxFrameBytes: number;
  /** Rows of the report that was written last. */
  readonly lastRows: number;
  /** Reports that an agent owes for a new connection that follows another one. */
  readonly owedOnReconnect: number;
  /** What applications did, where there are any. */
  readonly calls?: CallTotals;
  /**
   * Writes an agent's next report into `target` from `at` on, remembers it as the last of its keys, and returns where
   * it ends: at `at` when there is nothing to report. `ts`: the clock, whole seconds; `elapsedMs`: since the
   * simulation began.
   */
  writeNext(agent: number, target: Uint8Array, at: number, ts: number, elapsedMs: number): number;
  /** The agents that a report is due from since the last call, one entry a report; where it is not due by a rate. */
  due?(elapsedMs: number): Iterable<number>;
  /** How many reports an agent makes last, for the table to be known whatever was lost with its connections. */
  lastReports(agent: number): number;
}
