import { ReporterError } from '../../model/errors.js';
import { compareKeys, WORDS_PER_KEY } from '../../model/row.js';
import type { JournalRecord } from '../record.js';
import { decodeRecord, encodeRecord, type JournalEntry, recordBytes } from '../record.js';
import { type Place, storedBytes } from './place.js';
import { remainingBytes } from './quarantine.js';
import type { UnmappedPartition } from './unmapped.js';

const RECORDS_PER_READ = 64;
/** Removals that share a commit. */
export const REMOVALS_PER_COMMIT = 1000;

/** The records of one partition behind its snapshot, and how large they are. */
export class Records {
  readonly #place: Place;
  /** Bytes of each, by sequence, so that none is read only to be measured. */
  readonly #sizes = new Map<number, number>();
  #bytes = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  get count(): number {
    return this.#sizes.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes an entry durable; a record with dead letters in one transaction with them. */
  async append(sequence: number, { record, refusals, released = [] }: JournalEntry): Promise<void> {
    const { tables, commits, deadLetters, scratches, epoch, partition } = this.#place;
    const scratch = scratches.take(recordBytes(record));
    const bytes = storedBytes(this.#place, encodeRecord(record, scratch), 'record', sequence);
    const put = () => tables.events.put([epoch, partition, sequence], bytes);
    const dead = refusals.filter(({ words }) => !hasKey(record.confirmed, words));
    const superseded = deadLetters.size > 0 ? [...released, ...this.#superseded(record)] : [];
    if (dead.length === 0 && superseded.length === 0) {
      await commits.store(bytes.length, 0, put);
    } else {
      await commits.store(bytes.length, dead.length + superseded.length, () =>
        tables.events.batch(() => {
          void put();
          for (const key of superseded) deadLetters.remove(key);
          for (const refusal of dead) deadLetters.put(refusal, record.at);
        }),
      );
      deadLetters.committed(dead, superseded);
    }
    scratches.give(scratch);
    this.#keep(sequence, bytes.length);
  }

  /** Keys of dead letters of which the store now holds a newer value. */
  #superseded({ confirmed }: JournalRecord): Int32Array[] {
    const keys: Int32Array[] = [];
    for (let at = 0; at < confirmed.length; at += WORDS_PER_KEY) {
      if (this.#place.deadLetters.has(confirmed, at)) keys.push(confirmed.subarray(at, at + WORDS_PER_KEY));
    }
    return keys;
  }

  #keep(sequence: number, bytes: number): void {
    this.#sizes.set(sequence, bytes);
    this.#bytes += bytes;
  }

  /** Nothing is known of what is stored: a replay begins. */
  reset(): void {
    this.#sizes.clear();
    this.#bytes = 0;
  }

  /** The records behind `base`, in order. Those that are damaged go into quarantine. */
  async *read(
    base: number,
    unmapped: UnmappedPartition | undefined,
  ): AsyncGenerator<{ readonly sequence: number; readonly record: JournalRecord }> {
    const { tables, commits, epoch, partition } = this.#place;
    for (let after = base; ; ) {
      const range = {
        start: [epoch, partition, after + 1],
        end: [epoch, partition + 1],
        limit: RECORDS_PER_READ,
      };
      commits.requireOpen();
      const keys = [...tables.events.getKeys(range)];
      for (const key of keys) {
        after = key[2]!;
        commits.requireOpen();
        const record = decoded(unmapped?.record(after)) ?? (await this.#mapped(key));
        if (!record) continue;
        this.#keep(after, recordBytes(record));
        yield { sequence: after, record };
      }
      if (keys.length < RECORDS_PER_READ) return;
    }
  }

  /** Undefined when it is damaged, which puts it into quarantine: the others are as good as before. */
  async #mapped(key: number[]): Promise<JournalRecord | undefined> {
    const bytes = this.#place.tables.events.get(key);
    if (!bytes) return undefined;
    try {
      return decodeRecord(bytes);
    } catch (error) {
      if (!(error instanceof ReporterError)) throw error;
      await this.quarantine(key[2]!, error);
      return undefined;
    }
  }

  /** Moves a record into quarantine, and leaves in its place what can be read of it. */
  async quarantine(sequence: number, error: Error): Promise<void> {
    const { tables, commits, quarantine, epoch, partition } = this.#place;
    commits.requireOpen();
    const key = [epoch, partition, sequence];
    const bytes = tables.events.get(key);
    if (!bytes) return;
    const rest = remainingBytes(bytes);
    await commits.store(2 * bytes.length, 1, () =>
      tables.events.batch(() => {
        quarantine.put(key, { partition, sequence, error: error.message, bytes });
        void (rest ? tables.events.put(key, rest) : tables.events.remove(key));
      }),
    );
    quarantine.tell(partition, sequence, error);
  }

  /** Keys of the first records up to `sequence`, as many as one commit removes. */
  covered(sequence: number): number[][] {
    const { tables, commits, epoch, partition } = this.#place;
    commits.requireOpen();
    const range = {
      start: [epoch, partition],
      end: [epoch, partition, sequence + 1],
      limit: REMOVALS_PER_COMMIT,
    };
    return [...tables.events.getKeys(range)];
  }

  /** Inside a transaction. */
  remove(keys: readonly number[][]): void {
    for (const key of keys) void this.#place.tables.events.remove(key);
  }

  /** They have been removed. */
  forget(keys: readonly number[][]): void {
    for (const key of keys) {
      const sequence = key[2]!;
      this.#bytes -= this.#sizes.get(sequence) ?? 0;
      this.#sizes.delete(sequence);
    }
  }

  /** Removes all records up to `sequence`, some a commit. */
  async removeUpTo(sequence: number): Promise<void> {
    const { tables, commits } = this.#place;
    for (;;) {
      const keys = this.covered(sequence);
      if (keys.length === 0) return;
      await commits.remove(keys.length, () => tables.events.batch(() => this.remove(keys)));
      this.forget(keys);
    }
  }
}

/** Undefined unless it is a whole, undamaged record. */
function decoded(bytes: Uint8Array | undefined): JournalRecord | undefined {
  try {
    return bytes && decodeRecord(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the packed `keys` name the key of the packed row `row`: then the store has a newer value of it. */
function hasKey(keys: Int32Array, row: Int32Array): boolean {
  for (let at = 0; at < keys.length; at += WORDS_PER_KEY)
    if (compareKeys(keys, at, row, 0) === 0) return true;
  return false;
}
