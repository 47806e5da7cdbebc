import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ReporterError } from '../model/errors.js';
import {
  decodePiece,
  decodeRecord,
  encodePiece,
  encodeRecord,
  type JournalRecord,
  ROWS_PER_PIECE,
} from './record.js';
import type { Head, JournalOptions, Tables } from './tables.js';

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
  /** Rows of the slots `from` … `to`-1, copied. */
  copySlots(from: number, to: number): Int32Array;
}

const EVENTS_PER_READ = 64;
const REMOVALS_PER_COMMIT = 1000;
const MAX_TURN_MS = 10;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;

/**
 * The journal of one partition: an ordered log of records, cut off at the front by snapshots. Used by one writer
 * at a time; sequence numbers come from that writer and rise.
 */
export class PartitionJournal {
  readonly #tables: Tables;
  readonly #epoch: number;
  readonly #index: number;
  readonly #options: JournalOptions;
  readonly #isClosed: () => boolean;
  #head: Head;
  #eventBytes = 0;
  #eventCount = 0;
  #snapshotBytes = 0;

  constructor(
    tables: Tables,
    epoch: number,
    index: number,
    options: JournalOptions,
    isClosed: () => boolean,
  ) {
    this.#tables = tables;
    this.#epoch = epoch;
    this.#index = index;
    this.#options = options;
    this.#isClosed = isClosed;
    this.#head = tables.heads.get([epoch, index]) ?? { sequence: 0, pieces: 0, batchId: 0 };
  }

  /** Last sequence that a snapshot covers; 0 in a new journal. */
  get base(): number {
    return this.#head.sequence;
  }

  /** Bytes of records behind the last snapshot, and their number: what the next one would free. */
  get sinceSnapshot(): { readonly bytes: number; readonly events: number } {
    return { bytes: this.#eventBytes, events: this.#eventCount };
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
  async append(sequence: number, record: JournalRecord): Promise<void> {
    const bytes = encodeRecord(record);
    await this.#durably(() => this.#tables.events.put([this.#epoch, this.#index, sequence], bytes));
    this.#eventBytes += bytes.length;
    this.#eventCount++;
  }

  /** All that is stored, in order. Lets others run every 10 ms. */
  async *replay(): AsyncGenerator<Replayed> {
    const { sequence: base, pieces, batchId } = this.#head;
    const turn = new Turn();
    this.#eventBytes = 0;
    this.#eventCount = 0;
    this.#snapshotBytes = 0;
    await this.#removeStrayPieces();
    yield { sequence: base, event: { kind: 'base', batchId } };
    for (let piece = 0; piece < pieces; piece++) {
      const bytes = this.#tables.snapshots.get([this.#epoch, this.#index, base, piece]);
      if (!bytes)
        throw new ReporterError('JOURNAL_CORRUPT', `snapshot piece ${piece} of ${pieces} is missing`);
      this.#snapshotBytes += bytes.length;
      yield { sequence: base, event: { kind: 'rows', rows: decodePiece(bytes) } };
      await turn.pause();
    }
    for (let after = base; ; ) {
      const range = {
        start: [this.#epoch, this.#index, after + 1],
        end: [this.#epoch, this.#index + 1],
        limit: EVENTS_PER_READ,
      };
      const entries = await this.#tables.events.getRange(range).asArray;
      for (const { key, value } of entries) {
        after = key[2]!;
        this.#eventBytes += value.length;
        this.#eventCount++;
        yield { sequence: after, event: { kind: 'record', record: decodeRecord(value) } };
        await turn.pause();
      }
      if (entries.length < EVENTS_PER_READ) return;
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
   * published.
   */
  async snapshot(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean> {
    const { snapshots, heads } = this.#tables;
    let pieces = 0;
    let pieceBytes = 0;
    for (let slot = 0; slot < source.slotEnd; slot += ROWS_PER_PIECE) {
      const rows = source.copySlots(slot, slot + ROWS_PER_PIECE);
      if (rows.length === 0) continue;
      const bytes = encodePiece(rows);
      const key = [this.#epoch, this.#index, sequence, pieces++];
      await this.#durably(() => snapshots.put(key, bytes));
      pieceBytes += bytes.length;
      if (isStale()) return false;
    }
    const previous = this.#head;
    const head: Head = { sequence, pieces, batchId };
    const covered = await this.#coveredEvents(sequence);
    await this.#durably(() =>
      heads.batch(() => {
        void heads.put([this.#epoch, this.#index], head);
        this.#remove(covered);
      }),
    );
    this.#head = head;
    this.#snapshotBytes = pieceBytes;
    this.#forget(covered);
    for (let more = covered; more.length === REMOVALS_PER_COMMIT; ) {
      more = await this.#coveredEvents(sequence);
      await this.#durably(() => this.#tables.events.batch(() => this.#remove(more)));
      this.#forget(more);
    }
    if (previous.sequence !== sequence) await this.#removePieces(previous);
    return true;
  }

  async #coveredEvents(sequence: number): Promise<{ key: number[]; bytes: number }[]> {
    const covered: { key: number[]; bytes: number }[] = [];
    const range = {
      start: [this.#epoch, this.#index],
      end: [this.#epoch, this.#index, sequence + 1],
      limit: REMOVALS_PER_COMMIT,
    };
    for (const key of this.#tables.events.getKeys(range)) {
      covered.push({ key, bytes: this.#tables.events.getBinaryFast(key)?.length ?? 0 });
    }
    return covered;
  }

  #remove(events: readonly { key: number[] }[]): void {
    for (const { key } of events) void this.#tables.events.remove(key);
  }

  #forget(events: readonly { bytes: number }[]): void {
    for (const { bytes } of events) this.#eventBytes -= bytes;
    this.#eventCount -= events.length;
  }

  /** A snapshot that a kill cut off before it was published has left pieces that nothing refers to. */
  async #removeStrayPieces(): Promise<void> {
    const range = { start: [this.#epoch, this.#index], end: [this.#epoch, this.#index + 1] };
    const stray = this.#tables.snapshots.getKeys(range).filter((key) => key[2] !== this.#head.sequence);
    await Promise.all([...stray].map((key) => this.#tables.snapshots.remove(key)));
  }

  async #removePieces(head: Head): Promise<void> {
    for (let from = 0; from < head.pieces; from += REMOVALS_PER_COMMIT) {
      await this.#durably(() =>
        this.#tables.snapshots.batch(() => {
          for (let piece = from; piece < Math.min(head.pieces, from + REMOVALS_PER_COMMIT); piece++) {
            void this.#tables.snapshots.remove([this.#epoch, this.#index, head.sequence, piece]);
          }
        }),
      );
    }
  }

  async #durably(write: () => Promise<unknown>): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      if (this.#isClosed()) throw new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
      const started = performance.now();
      try {
        await write();
        this.#options.onSync?.((performance.now() - started) / 1000);
        if (waitMs !== FIRST_RETRY_MS) this.#options.onFault?.(undefined);
        return;
      } catch (error) {
        // lmdb rejects a second promise of its own when a commit fails; nobody else can see it.
        const { commitError } = error as { commitError?: Promise<unknown> };
        const cause = await commitError?.catch((inner: unknown) => inner);
        this.#options.onFault?.(cause instanceof Error ? cause : (error as Error));
        await sleep(waitMs);
      }
    }
  }
}

/** Gives the event loop a turn when the present one has lasted long enough. */
class Turn {
  #began = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#began < MAX_TURN_MS) return;
    await nextTurn();
    this.#began = performance.now();
  }
}
