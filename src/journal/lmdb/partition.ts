import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetterFilter } from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
import { compareKeys, WORDS_PER_KEY, WORDS_PER_ROW } from '../../model/row.js';
import { Turn } from '../../model/turn.js';
import type { StoredBytes } from '../faults.js';
import {
  decodePiece,
  decodeRecord,
  EMPTY_RECORD,
  encodePiece,
  encodeRecord,
  type JournalEntry,
  type JournalRecord,
  PIECE_BYTES,
  ROWS_PER_PIECE,
  recordBytes,
} from '../record.js';
import { keysMeant, type Redelivery, redeliver } from './redelivery.js';
import type { Head, Shared, Tables } from './tables.js';

/** What replay yields: first where it starts, then the snapshot's rows, then the records after it, in order. */
export type JournalEvent =
  | { readonly kind: 'base'; readonly batchId: number }
  | { readonly kind: 'rows'; readonly rows: Int32Array }
  | { readonly kind: 'record'; readonly record: JournalRecord };

export interface Replayed {
  readonly sequence: number;
  readonly event: JournalEvent;
}

/** Where a snapshot reads from while the rows go on changing; see `PartitionJournal.snapshot`. */
export interface SnapshotSource {
  /** One past the last slot to be read. */
  readonly slotEnd: number;
  /** Rows of the slots `from` … `to`-1, copied; to the start of `into`, where they fit. */
  copySlots(from: number, to: number, into?: Int32Array): Int32Array;
}

const EVENTS_PER_READ = 64;
const REMOVALS_PER_COMMIT = 1000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;

/**
 * The journal of one partition: an ordered log of records, cut off at the front by snapshots. Used by one writer
 * at a time; sequence numbers come from that writer and rise.
 */
export class PartitionJournal {
  readonly #shared: Shared;
  readonly #tables: Tables;
  readonly #epoch: number;
  readonly #index: number;
  #head: Head;
  /** Bytes of each record behind the last snapshot, by sequence, so that none is read only to be measured. */
  readonly #sizes = new Map<number, number>();
  #eventBytes = 0;
  #snapshotBytes = 0;
  constructor(shared: Shared, epoch: number, index: number) {
    this.#shared = shared;
    this.#tables = shared.tables;
    this.#epoch = epoch;
    this.#index = index;
    this.#head = shared.tables.heads.get([epoch, index]) ?? { sequence: 0, pieces: 0, batchId: 0 };
  }

  /** Last sequence that a snapshot covers; 0 in a new journal. */
  get base(): number {
    return this.#head.sequence;
  }

  /** Bytes of records behind the last snapshot, and their number: what the next one would free. */
  get sinceSnapshot(): { readonly bytes: number; readonly events: number } {
    return { bytes: this.#eventBytes, events: this.#sizes.size };
  }

  /** Bytes this partition holds: records and published snapshot. */
  get bytes(): number {
    return this.#eventBytes + this.#snapshotBytes;
  }

  /**
   * Makes the record durable; resolves after the fsync that covers it. A failed commit (disk full, I/O error) is
   * tried again in place, for ever, so that order is kept and nothing is lost; `onFault` hears of it. Rejects with
   * JOURNAL_UNUSABLE only when the journal is closed meanwhile.
   */
  async append(sequence: number, { record, refusals, released = [] }: JournalEntry): Promise<void> {
    const { deadLetters, reserve, scratches } = this.#shared;
    const scratch = scratches.take(recordBytes(record));
    const bytes = this.#asStored(encodeRecord(record, scratch), 'record', sequence);
    const put = () => this.#tables.events.put([this.#epoch, this.#index, sequence], bytes);
    const dead = refusals.filter(({ words }) => !hasKey(record.confirmed, words));
    const superseded = deadLetters.size > 0 ? [...released, ...this.#superseded(record)] : [];
    if (dead.length === 0 && superseded.length === 0) {
      await this.#durably(reserve.bytesToStore(bytes.length), put);
    } else {
      const need = reserve.bytesToStore(bytes.length, dead.length + superseded.length);
      await this.#durably(need, () =>
        this.#tables.events.batch(() => {
          void put();
          for (const key of superseded) deadLetters.remove(key, 0);
          for (const refusal of dead) deadLetters.put(refusal, record.at);
        }),
      );
      deadLetters.committed(dead, superseded);
    }
    scratches.give(scratch);
    this.#keep(sequence, bytes.length);
  }

  #keep(sequence: number, bytes: number): void {
    this.#sizes.set(sequence, bytes);
    this.#eventBytes += bytes;
  }

  /** What replaying the dead letters of `keys` comes to. To be carried out by the next record, if by any. */
  redeliver(
    keys: readonly Int32Array[],
    filter: DeadLetterFilter,
    isPending: (key: Int32Array) => boolean,
  ): Redelivery {
    this.#requireOpen();
    const [last] = this.#tables.quarantine.getKeys({ reverse: true, limit: 1 });
    return redeliver(this.#shared.deadLetters, keys, filter, isPending, last?.[0] ?? 0);
  }

  /** Removes those dead letters of `keys` that the filter means, durably, and returns how many that were. */
  async drop(keys: readonly Int32Array[], filter: DeadLetterFilter): Promise<number> {
    this.#requireOpen();
    const { deadLetters } = this.#shared;
    const meant = keysMeant(deadLetters, keys, filter);
    await this.release(meant);
    return meant.length;
  }

  /** Removes the dead letters of these keys, durably. */
  async release(keys: readonly Int32Array[]): Promise<void> {
    if (keys.length === 0) return;
    const { deadLetters, reserve } = this.#shared;
    await this.#durably(reserve.bytesToStore(0, keys.length), () =>
      this.#tables.events.batch(() => {
        for (const key of keys) deadLetters.remove(key, 0);
      }),
    );
    deadLetters.committed([], keys);
  }

  /** Keys of dead letters of which the store now holds a newer value. */
  #superseded({ confirmed }: JournalRecord): Int32Array[] {
    const keys: Int32Array[] = [];
    for (let at = 0; at < confirmed.length; at += WORDS_PER_KEY) {
      if (this.#shared.deadLetters.has(confirmed, at)) keys.push(confirmed.subarray(at, at + WORDS_PER_KEY));
    }
    return keys;
  }

  /**
   * Takes a record out of the way that is damaged, or that its writer crashes on: its bytes are kept in quarantine,
   * and what is readable of it, the batch it stands for, is left in its place.
   */
  async quarantine(sequence: number, error: Error): Promise<void> {
    this.#requireOpen();
    const key = [this.#epoch, this.#index, sequence];
    const bytes = this.#tables.events.get(key);
    if (!bytes) return;
    const { events, quarantine } = this.#tables;
    const rest = remainder(bytes);
    await this.#durably(this.#shared.reserve.bytesToStore(2 * bytes.length, 1), () =>
      events.batch(() => {
        const kept = { partition: this.#index, sequence, error: error.message, bytes };
        void quarantine.put([Date.now(), ...key], kept);
        void (rest ? events.put(key, rest) : events.remove(key));
      }),
    );
    this.#shared.options.onQuarantine?.(this.#index, sequence, error);
  }

  /** All that is stored, in order. Lets others run every 10 ms. */
  async *replay(): AsyncGenerator<Replayed> {
    const { sequence: base, pieces, batchId } = this.#head;
    const turn = new Turn();
    this.#sizes.clear();
    this.#eventBytes = 0;
    this.#snapshotBytes = 0;
    await this.#removeLeftovers();
    yield { sequence: base, event: { kind: 'base', batchId } };
    for (let piece = 0; piece < pieces; piece++) {
      this.#requireOpen();
      const bytes = this.#tables.snapshots.get([this.#epoch, this.#index, base, piece]);
      const rows = await this.#readPiece(piece, bytes);
      if (!rows) continue;
      this.#snapshotBytes += bytes?.length ?? 0;
      yield { sequence: base, event: { kind: 'rows', rows } };
      await turn.pause();
    }
    for (let after = base; ; ) {
      const range = {
        start: [this.#epoch, this.#index, after + 1],
        end: [this.#epoch, this.#index + 1],
        limit: EVENTS_PER_READ,
      };
      this.#requireOpen();
      const entries = await this.#tables.events.getRange(range).asArray;
      for (const { key, value } of entries) {
        after = key[2]!;
        const record = await this.#read(after, value);
        if (!record) continue;
        this.#keep(after, value.length);
        yield { sequence: after, event: { kind: 'record', record } };
        await turn.pause();
      }
      if (entries.length < EVENTS_PER_READ) return;
    }
  }

  /** The record; undefined when it is damaged, which puts it into quarantine: the others are as good as before. */
  async #read(sequence: number, bytes: Uint8Array): Promise<JournalRecord | undefined> {
    try {
      return decodeRecord(bytes);
    } catch (error) {
      await this.quarantine(sequence, error as ReporterError);
      return undefined;
    }
  }

  async #readPiece(piece: number, bytes: Uint8Array | undefined): Promise<Int32Array | undefined> {
    const sequence = this.#head.sequence;
    const { onQuarantine } = this.#shared.options;
    if (!bytes) {
      onQuarantine?.(
        this.#index,
        sequence,
        new ReporterError('JOURNAL_CORRUPT', `snapshot piece ${piece} is missing`),
      );
      return undefined;
    }
    try {
      return decodePiece(bytes);
    } catch (error) {
      const kept = { partition: this.#index, sequence, error: (error as ReporterError).message, bytes };
      const key = [this.#epoch, this.#index, sequence, piece];
      const { snapshots, quarantine } = this.#tables;
      await this.#durably(this.#shared.reserve.bytesToStore(bytes.length, 1), () =>
        snapshots.batch(() => {
          void quarantine.put([Date.now(), ...key], kept);
          void snapshots.put(key, encodePiece(new Int32Array(0)));
        }),
      );
      onQuarantine?.(this.#index, sequence, error as ReporterError);
      return undefined;
    }
  }

  /**
   * Replaces the records up to `sequence` by the rows they left pending.
   *
   * The rows are read a piece at a time while later records go on changing them, so a piece may hold newer rows
   * than those of `sequence`. Replay comes to the same map all the same: the records behind `sequence` set every
   * row they touch again, and those they do not touch are in the pieces, because a row keeps its slot while it is
   * pending. The head is published in one transaction together with the removal of the first records it covers.
   *
   * Gives up, and changes nothing, when `isStale()` turns true between two pieces. Resolves to whether it was
   * published; at once when there is one of this sequence.
   */
  async snapshot(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean> {
    const { snapshots, heads } = this.#tables;
    // What a snapshot covers never shrinks: it would uncover records that are gone.
    if (sequence < this.#head.sequence) throw new RangeError(`snapshot ${sequence} < ${this.#head.sequence}`);
    // Its pieces would be written over those that are published, and half of them when it is cut off.
    if (sequence === this.#head.sequence) return true;
    let pieces = 0;
    let pieceBytes = 0;
    // A piece is on disk before the next one is copied: all of them share this memory.
    const copy = new Int32Array(Math.min(source.slotEnd, ROWS_PER_PIECE) * WORDS_PER_ROW);
    const encoded = new ArrayBuffer(source.slotEnd > 0 ? PIECE_BYTES : 0);
    for (let slot = 0; slot < source.slotEnd; slot += ROWS_PER_PIECE) {
      const rows = source.copySlots(slot, slot + ROWS_PER_PIECE, copy);
      if (rows.length === 0) continue;
      const bytes = this.#asStored(encodePiece(rows, encoded), 'piece', sequence);
      const key = [this.#epoch, this.#index, sequence, pieces++];
      const need = this.#shared.reserve.bytesToStore(bytes.length);
      if (!(await this.#unlessStale(isStale, need, () => snapshots.put(key, bytes)))) return false;
      pieceBytes += bytes.length;
    }
    const previous = this.#head;
    const head: Head = { sequence, pieces, batchId };
    const covered = this.#coveredEvents(sequence);
    const publish = () =>
      heads.batch(() => {
        void heads.put([this.#epoch, this.#index], head);
        this.#remove(covered);
      });
    const need = this.#shared.reserve.bytesToRemove(covered.length);
    if (!(await this.#unlessStale(isStale, need, publish))) return false;
    this.#head = head;
    this.#snapshotBytes = pieceBytes;
    this.#forget(covered);
    for (let more = covered; more.length === REMOVALS_PER_COMMIT; ) {
      more = this.#coveredEvents(sequence);
      await this.#removing(more.length, () => this.#tables.events.batch(() => this.#remove(more)));
      this.#forget(more);
    }
    await this.#removePieces(previous);
    return true;
  }

  #coveredEvents(sequence: number): number[][] {
    this.#requireOpen();
    const range = {
      start: [this.#epoch, this.#index],
      end: [this.#epoch, this.#index, sequence + 1],
      limit: REMOVALS_PER_COMMIT,
    };
    return [...this.#tables.events.getKeys(range)];
  }

  #remove(keys: readonly number[][]): void {
    for (const key of keys) void this.#tables.events.remove(key);
  }

  #forget(keys: readonly number[][]): void {
    for (const key of keys) {
      const sequence = key[2]!;
      this.#eventBytes -= this.#sizes.get(sequence) ?? 0;
      this.#sizes.delete(sequence);
    }
  }

  /** A kill leaves pieces of a snapshot that was not published yet, or records that a published one covers. */
  async #removeLeftovers(): Promise<void> {
    const { snapshots, events } = this.#tables;
    const { sequence } = this.#head;
    this.#requireOpen();
    const range = { start: [this.#epoch, this.#index], end: [this.#epoch, this.#index + 1] };
    const stray = [...snapshots.getKeys(range)].filter((key) => key[2] !== sequence);
    // Most often there are none, and a commit of nothing would wait for a disk that is full.
    if (stray.length > 0)
      await this.#removing(stray.length, () =>
        snapshots.batch(() => stray.forEach((key) => void snapshots.remove(key))),
      );
    for (;;) {
      const covered = this.#coveredEvents(sequence);
      if (covered.length === 0) return;
      await this.#removing(covered.length, () => events.batch(() => this.#remove(covered)));
    }
  }

  async #removePieces(head: Head): Promise<void> {
    for (let from = 0; from < head.pieces; from += REMOVALS_PER_COMMIT) {
      await this.#removing(REMOVALS_PER_COMMIT, () =>
        this.#tables.snapshots.batch(() => {
          for (let piece = from; piece < Math.min(head.pieces, from + REMOVALS_PER_COMMIT); piece++) {
            void this.#tables.snapshots.remove([this.#epoch, this.#index, head.sequence, piece]);
          }
        }),
      );
    }
  }

  /** What a faulty disk makes of the bytes; a sound one leaves them as they are. */
  #asStored(bytes: Uint8Array, kind: StoredBytes['kind'], sequence: number): Uint8Array {
    const { faults } = this.#shared.options;
    return faults?.onStore?.(bytes, { kind, partition: this.#index, sequence }) ?? bytes;
  }

  /** As `#durably`, but gives up when the work has become stale; resolves to whether it was done. */
  async #unlessStale(isStale: () => boolean, bytes: number, put: () => Promise<unknown>): Promise<boolean> {
    if (isStale()) return false;
    return await this.#durably(bytes, put, isStale);
  }

  async #removing(entries: number, remove: () => Promise<unknown>): Promise<void> {
    await this.#durably(this.#shared.reserve.bytesToRemove(entries), remove);
  }

  /** `bytes`: what the commit needs of the reserve. */
  async #durably(
    bytes: number,
    put: () => Promise<unknown>,
    isStale: () => boolean = () => false,
  ): Promise<boolean> {
    const { isClosed, options, reserve } = this.#shared;
    for (let waitMs = FIRST_RETRY_MS; !isClosed(); waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      const started = performance.now();
      try {
        if (options.faults) await options.faults.beforeCommit?.();
        // A write to an environment that was closed meanwhile would end the process.
        if (isClosed()) break;
        await reserve.commit(bytes, put);
        options.onSync?.((performance.now() - started) / 1000);
        if (waitMs !== FIRST_RETRY_MS) options.onFault?.(undefined);
        return true;
      } catch (error) {
        if (isClosed()) break;
        options.onFault?.(error as Error);
        if (isStale()) return false;
        await sleep(waitMs);
        if (isStale()) return false;
      }
    }
    throw closed();
  }

  /** What is read while lmdb closes the environment throws later, in a timer where nobody can take it. */
  #requireOpen(): void {
    if (this.#shared.isClosed()) throw closed();
  }
}

function closed(): ReporterError {
  return new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
}

/** Whether the packed `keys` name the key of the packed row `row`: then the store has a newer value of it. */
function hasKey(keys: Int32Array, row: Int32Array): boolean {
  for (let at = 0; at < keys.length; at += WORDS_PER_KEY)
    if (compareKeys(keys, at, row, 0) === 0) return true;
  return false;
}

/** What is left in the place of a record that is in quarantine; undefined when nothing of it can be read. */
function remainder(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { at, batchId, received } = decodeRecord(bytes);
    return encodeRecord({ ...EMPTY_RECORD, at, batchId, received, quarantined: received });
  } catch {
    return undefined;
  }
}
