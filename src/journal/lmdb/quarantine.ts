import type { Database } from 'lmdb';
import type { EventSink } from '../../observe/events.js';
import { decodeRecord, encodeRecord, remainderOf } from '../record.js';
import type { Quarantined } from './tables.js';

/** What was taken out of partitions: kept under the time it came, for people to look at. */
export class Quarantine {
  readonly #table: Database<Quarantined, number[]>;
  readonly #events: EventSink;
  #count: number;

  constructor(table: Database<Quarantined, number[]>, events: EventSink) {
    this.#table = table;
    this.#events = events;
    this.#count = table.getKeysCount();
  }

  get count(): number {
    return this.#count;
  }

  /** When something came last, of any partition; 0 when nothing did. */
  lastAt(): number {
    const [last] = this.#table.getKeys({ reverse: true, limit: 1 });
    return last?.[0] ?? 0;
  }

  /** Keeps what is stored under `key` elsewhere. Inside a transaction, which may be tried again. */
  put(key: readonly number[], kept: Quarantined): void {
    void this.#table.put([Date.now(), ...key], kept);
  }

  /** It is durable, or it was missing and there is nothing to keep. */
  tell(partition: number, sequence: number, error: Error): void {
    this.#count++;
    this.#events.emit({ type: 'quarantined', partition, sequence, error });
  }
}

/** What is left in the place of a record that is in quarantine; undefined when nothing of it can be read. */
export function remainingBytes(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return encodeRecord(remainderOf(decodeRecord(bytes)));
  } catch {
    return undefined;
  }
}
