import { setTimeout as sleep } from 'node:timers/promises';
import type { Reserve } from '../../lmdb/reserve.js';
import { ReporterError } from '../../model/errors.js';
import type { EventSink } from '../../observe/events.js';
import type { JournalFaults } from '../faults.js';
import { FileWatch } from './file-watch.js';

const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;
const NEVER = () => false;

type Room = Pick<Reserve, 'commit' | 'bytesToStore' | 'bytesToRemove' | 'displacement'>;

/** Writes to the environment, tried again in place until they are on disk; and whether that works. */
export class Commits {
  readonly #reserve: Room;
  readonly #events: EventSink;
  readonly #faults: JournalFaults | undefined;
  readonly #watch: FileWatch;
  /** The data file is not in its place. */
  #isDisplaced = false;
  #isClosed = false;
  /** It was told that the journal cannot be written. */
  #isFailing = false;
  /** Commits that have failed and are tried again. */
  #retrying = 0;

  constructor(reserve: Room, events: EventSink, faults?: JournalFaults) {
    this.#reserve = reserve;
    this.#events = events;
    this.#faults = faults;
    this.#watch = new FileWatch(
      () => reserve.displacement(),
      (displacement) => {
        this.#isDisplaced = displacement !== undefined;
        if (displacement) this.#failed(displacement);
        else this.#recovered(false);
      },
    );
  }

  /** See `PartitionJournal.displaced`. */
  displaced(): Promise<void> | undefined {
    return this.#watch.absence();
  }

  /**
   * Makes durable what `put` writes, of so many bytes and so many keys all over a table. Resolves after the fsync; to
   * false when it failed and `isStale()` has turned true. Rejects with JOURNAL_UNUSABLE when the journal is closed.
   */
  store(bytes: number, scattered: number, put: () => Promise<unknown>, isStale = NEVER): Promise<boolean> {
    return this.#durably(this.#reserve.bytesToStore(bytes, scattered), put, isStale);
  }

  /** As `store`, for a write that removes so many neighbours. */
  remove(entries: number, remove: () => Promise<unknown>, isStale = NEVER): Promise<boolean> {
    return this.#durably(this.#reserve.bytesToRemove(entries), remove, isStale);
  }

  async #durably(bytes: number, put: () => Promise<unknown>, isStale: () => boolean): Promise<boolean> {
    let isRetry = false;
    try {
      for (let waitMs = FIRST_RETRY_MS; !this.#isClosed; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
        const started = performance.now();
        try {
          if (this.#faults) await this.#faults.beforeCommit?.();
          // A write to an environment that was closed meanwhile would end the process.
          if (this.#isClosed) break;
          await this.#reserve.commit(bytes, put);
          this.#events.emit({ type: 'journal-synced', seconds: (performance.now() - started) / 1000 });
          this.#recovered(isRetry);
          return true;
        } catch (error) {
          if (this.#isClosed) break;
          if (!isRetry) this.#retrying++;
          isRetry = true;
          this.#failed(error as Error);
          if (isStale()) return false;
          await sleep(waitMs);
          if (isStale()) return false;
        }
      }
      throw closed();
    } finally {
      if (isRetry) this.#retrying--;
    }
  }

  #failed(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#events.emit({ type: 'journal-state', state: 'failing', error });
  }

  /** A commit has succeeded, or the file is back. Small ones may while a large one waits for room: no recovery. */
  #recovered(isRetry: boolean): void {
    if (!this.#isFailing || this.#isDisplaced || this.#retrying > (isRetry ? 1 : 0)) return;
    this.#isFailing = false;
    this.#events.emit({ type: 'journal-state', state: 'ok' });
  }

  /** What is read while lmdb closes the environment throws later, in a timer where nobody can take it. */
  requireOpen(): void {
    if (this.#isClosed) throw closed();
  }

  /** From now on everything rejects, what is being tried again included. */
  close(): void {
    this.#watch.close();
    this.#isClosed = true;
  }
}

export function closed(): ReporterError {
  return new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
}
