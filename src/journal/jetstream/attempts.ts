import { setTimeout as sleep } from 'node:timers/promises';
import { errorOf, ReporterError } from '../../model/errors.js';
import type { EventSink } from '../../observe/events.js';
import type { JournalFaults } from '../faults.js';
import { closed } from './nats-link.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
const NEVER = () => false;

/**
 * Asks the servers until they answer. A leader that is gone, servers that cannot be reached, an answer that does not
 * come: all of it passes. A ReporterError does not.
 */
export class Attempts {
  readonly #events: EventSink;
  readonly #faults: JournalFaults | undefined;
  #isClosed = false;
  /** It was told that the journal cannot be written. */
  #isFailing = false;
  /** What has failed and is tried again. */
  #retrying = 0;

  constructor(events: EventSink, faults?: JournalFaults) {
    this.#events = events;
    this.#faults = faults;
  }

  /** Resolves to undefined when it has failed and `isStale()` has turned true. Rejects when the journal is closed. */
  async write<T>(ask: () => Promise<T>, isStale = NEVER): Promise<T | undefined> {
    return await this.#ask(async () => {
      await this.#faults?.beforeCommit?.();
      this.requireOpen();
      const started = performance.now();
      const value = await ask();
      this.#events.emit({ type: 'journal-synced', seconds: (performance.now() - started) / 1000 });
      return { value };
    }, isStale).then((result) => result?.value);
  }

  /** Rejects when the journal is closed. */
  async read<T>(ask: () => Promise<T>): Promise<T> {
    const result = await this.#ask(async () => ({ value: await ask() }), NEVER);
    return result!.value;
  }

  async #ask<T>(ask: () => Promise<T>, isStale: () => boolean): Promise<T | undefined> {
    let isRetry = false;
    try {
      for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
        this.requireOpen();
        try {
          const result = await ask();
          this.#recovered(isRetry);
          return result;
        } catch (error) {
          this.requireOpen();
          if (error instanceof ReporterError) throw error;
          if (!isRetry) this.#retrying++;
          isRetry = true;
          this.#failed(errorOf(error));
          if (isStale()) return undefined;
          await sleep(waitMs);
          if (isStale()) return undefined;
        }
      }
    } finally {
      if (isRetry) this.#retrying--;
    }
  }

  #failed(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#events.emit({ type: 'journal-state', state: 'failing', error });
  }

  /** Of several partitions one may have its leader again before another: no recovery yet. */
  #recovered(isRetry: boolean): void {
    if (!this.#isFailing || this.#retrying > (isRetry ? 1 : 0)) return;
    this.#isFailing = false;
    this.#events.emit({ type: 'journal-state', state: 'ok' });
  }

  requireOpen(): void {
    if (this.#isClosed) throw closed();
  }

  /** From now on everything rejects, what is being tried again included. */
  close(): void {
    this.#isClosed = true;
  }
}
