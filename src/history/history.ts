import { renameSync, rmSync } from 'node:fs';
import { DataFileError } from '../lmdb/data-file.js';
import { dataFileOf } from '../lmdb/open-environment.js';
import { errorOf } from '../model/errors.js';
import { eventChanges, incidentChanges, pastedTimes } from './event-writing.js';
import { HistoryFile } from './history-file.js';
import { HistoryReader } from './history-reader.js';
import type { PastEvent, PastIncident, PastMinute } from './kept-records.js';
import { MinuteWriting } from './minute-writing.js';
import { goneAt } from './retention.js';

/** How the history is. */
export interface HistoryCondition {
  /** `starting`: not opened yet. `stopped`: it cannot be written now; `why` says why, and it is tried again. */
  readonly state: 'starting' | 'ok' | 'stopped';
  readonly why: string | null;
  /** Of its file; 0 while that is not known. */
  readonly bytes: number;
}

export interface HistoryOptions {
  readonly dir: string;
  /** The file stays within. */
  readonly maxBytes: number;
  /** After a failure it is tried again so often, milliseconds. */
  readonly retryMs?: number;
}

const MINUTE_S = 60;
const RETRY_MS = 5_000;
/** While nothing can be written, so much is held; of more, the oldest goes. */
const MOST_EVENTS = 10_000;
const MOST_INCIDENTS = 20_000;
const MOST_MINUTES = 3;
/** Events and incidents of one commit. */
const COMMIT_ENTRIES = 2_000;

/**
 * What the view has seen, kept in a folder of its own, over restarts, within a bound. Nothing here throws because of
 * the disk: while it cannot be written, what comes is held as far as there is room, and then let go. Times are handed
 * in, of the wall clock.
 *
 *     const history = new History({ dir, maxBytes });
 *     history.keepEvent(event);
 *     await history.work(nowS); // now and then
 */
export class History {
  readonly #options: HistoryOptions;
  #file: HistoryFile | undefined;
  #reader: HistoryReader | undefined;
  #minuteWriting: MinuteWriting | undefined;
  #why: string | null = null;
  #hasFailed = false;
  #retryAtMs = 0;
  #working: Promise<void> | undefined;
  #isClosed = false;
  #events: PastEvent[] = [];
  #incidents = new Map<number, PastIncident>();
  #minutes: PastMinute[] = [];
  /** The last minute that was looked at for what is too old. */
  #tidied = -1;
  #isTidy = true;
  /** The last minute it was in: behind it, the clock was set back. */
  #lastMinute = Number.POSITIVE_INFINITY;
  #bytes = 0;
  /** Making it shorter was tried. */
  #isTooLong = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  get condition(): HistoryCondition {
    const state = this.#hasFailed ? 'stopped' : this.#file ? 'ok' : 'starting';
    return { state, why: this.#why, bytes: this.#bytes };
  }

  /** What there is to read; undefined while it is not open. */
  get reader(): HistoryReader | undefined {
    return this.#reader;
  }

  keepEvent(event: PastEvent): void {
    this.#events.push(event);
    if (this.#events.length >= 2 * MOST_EVENTS) this.#events = this.#events.slice(-MOST_EVENTS);
  }

  /** As it is now; what was kept of it before is replaced. */
  keepIncident(incident: PastIncident): void {
    this.#incidents.delete(incident.id);
    this.#incidents.set(incident.id, incident);
    if (this.#incidents.size <= MOST_INCIDENTS) return;
    for (const id of this.#incidents.keys()) {
      this.#incidents.delete(id);
      break;
    }
  }

  /** Adds to what is known of a minute. */
  keepMinute(minute: PastMinute): void {
    this.#minutes.push(minute);
    if (this.#minutes.length > MOST_MINUTES) this.#minutes.shift();
  }

  /** Opens it, where that has not been done, so that it can be read. Takes some milliseconds, and does not throw. */
  open(): void {
    if (this.#file || this.#isClosed || performance.now() < this.#retryAtMs) return;
    try {
      this.#opened(HistoryFile.open(this.#options.dir));
    } catch (error) {
      this.#failed(error);
      if (error instanceof DataFileError) this.#putAside();
    }
  }

  /**
   * Writes what was kept, and lets go what is too old. Resolves when that is done or has failed; while it is under way,
   * further calls wait for the same.
   */
  work(nowS: number): Promise<void> {
    this.#working ??= this.#work(nowS).finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #work(nowS: number): Promise<void> {
    this.open();
    const file = this.#file;
    if (!file || performance.now() < this.#retryAtMs) return;
    try {
      await this.#writeAll(file, nowS);
      await this.#tidy(file, nowS);
      this.#bytes = this.#file?.fileBytes ?? this.#bytes;
      this.#hasFailed = false;
      this.#why = null;
    } catch (error) {
      this.#failed(error);
      await this.#abandon();
    }
  }

  async #writeAll(file: HistoryFile, nowS: number): Promise<void> {
    const nowMinute = Math.floor(nowS / MINUTE_S);
    if (nowMinute < this.#lastMinute) await this.#putBack(file, nowS);
    this.#lastMinute = nowMinute;
    while (this.#events.length > 0 || this.#incidents.size > 0) {
      const events = this.#events.slice(0, COMMIT_ENTRIES);
      const incidents = [...this.#incidents.values()].slice(0, COMMIT_ENTRIES);
      await file.commit([...events.map(eventChanges), ...incidents.flatMap(incidentChanges)]);
      const written = new Set(events);
      this.#events = this.#events.filter((event) => !written.has(event));
      // What was kept of one meanwhile is newer.
      for (const incident of incidents)
        if (this.#incidents.get(incident.id) === incident) this.#incidents.delete(incident.id);
    }
    for (let minute = this.#minutes[0]; minute; minute = this.#minutes[0]) {
      await this.#minuteWriting?.add(minute);
      this.#minutes = this.#minutes.filter((one) => one !== minute);
    }
  }

  /** Nothing of the history lies in the future. */
  async #putBack(file: HistoryFile, nowS: number): Promise<void> {
    await this.#minuteWriting?.putBack(Math.floor(nowS / MINUTE_S));
    await file.commit(pastedTimes(file, nowS));
  }

  async #tidy(file: HistoryFile, nowS: number): Promise<void> {
    const minute = Math.floor(nowS / MINUTE_S);
    if (minute === this.#tidied && this.#isTidy) return;
    const { changes, isAll } = goneAt(file, nowS, this.#options.maxBytes);
    await file.commit(changes);
    this.#tidied = minute;
    this.#isTidy = isAll;
    if (isAll && file.fileBytes > this.#options.maxBytes && !this.#isTooLong) await this.#shrink(file);
  }

  /** The bound was lowered: the file is made shorter, once; where that cannot be done, it does not grow. */
  async #shrink(file: HistoryFile): Promise<void> {
    this.#isTooLong = true;
    try {
      await file.closeCompacted();
    } catch {
      return;
    }
    await this.#abandon();
    this.open();
  }

  #opened(file: HistoryFile): void {
    this.#file = file;
    this.#reader = new HistoryReader(file);
    this.#minuteWriting = new MinuteWriting(file);
    this.#bytes = file.fileBytes;
    this.#lastMinute = Number.POSITIVE_INFINITY;
    this.#tidied = -1;
  }

  #failed(error: unknown): void {
    this.#hasFailed = true;
    this.#why = errorOf(error).message;
    this.#retryAtMs = performance.now() + (this.#options.retryMs ?? RETRY_MS);
  }

  /** What is open may be a file that nobody finds any more: it is opened anew. */
  async #abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#reader = undefined;
    this.#minuteWriting = undefined;
    await file?.close().catch(() => {});
  }

  /** A damaged file would end the process, or keep the history from going on for ever. */
  #putAside(): void {
    const file = dataFileOf(this.#options.dir);
    try {
      rmSync(`${file}.damaged`, { force: true });
      renameSync(file, `${file}.damaged`);
    } catch {
      // Then it stays, and why it cannot be used is told.
    }
  }

  /** Writes what was kept, and closes it. Never rejects. */
  async close(nowS: number): Promise<void> {
    await this.#working;
    this.#retryAtMs = 0;
    if (this.#file) await this.work(nowS);
    this.#isClosed = true;
    await this.#abandon();
  }
}
