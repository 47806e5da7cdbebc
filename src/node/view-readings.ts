import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../model/backoff.js';
import { errorOf } from '../model/errors.js';
import type { ThreadClock } from '../view/feed/thread-clock.js';
import type { Missed, ViewFeed } from '../view/feed/view-feed.js';
import { type ReadingOrder, type ReadingSources, readTable } from './table-reading.js';

const SWEEP_S = 600;
/** A sweep takes this part of the time between two of them. */
const SWEEP_SHARE = 0.8;
/** A sweep that came to nothing is tried again after this time. */
const SWEEP_AGAIN_S = 60;
/** Small tables are read in less time. */
const LONGEST_PAGE_MS = 500;
const PAGE_ROWS = 1000;
const RETRY = { firstMs: 1000, lastMs: 30_000 };
const LOOK_MS = 1000;

export interface ViewReadingsOptions {
  readonly sources: ReadingSources;
  readonly feed: ViewFeed;
  readonly clock: ThreadClock;
  /** Something for the changes. */
  readonly note: (text: string) => void;
}

/**
 * Reads the store for the view, one reading at a time: all of it when a thread is up, what was missed, and now and
 * then all of it again. A store that is away is tried again.
 */
export class ViewReadings {
  readonly #options: ViewReadingsOptions;
  /** Those of an earlier thread are over. */
  #run = 0;
  #isWarm = false;
  #rereading: Missed | undefined;
  #rows = 0;
  #isUnreadable = false;
  #isShared = false;

  constructor(options: ViewReadingsOptions) {
    this.#options = options;
  }

  /** Everything that was in the store has been read. */
  get isWarm(): boolean {
    return this.#isWarm;
  }

  /** What was missed and is not read again yet. */
  get missed(): Pick<Missed, 'rows' | 'sinceS'> | undefined {
    const { missed } = this.#options.feed;
    const rereading = this.#rereading;
    if (!missed || !rereading) return missed ?? rereading;
    return { rows: missed.rows + rereading.rows, sinceS: Math.min(missed.sinceS, rereading.sinceS) };
  }

  /** A thread is up that knows nothing. */
  begin(): void {
    void this.#follow(++this.#run);
  }

  /** The thread is gone. */
  end(): void {
    this.#run++;
    this.#isWarm = false;
    this.#rereading = undefined;
  }

  async #follow(run: number): Promise<void> {
    const isOver = () => run !== this.#run;
    await this.#read(() => ({ isWarmUp: true }), isOver);
    if (isOver()) return;
    this.#isWarm = true;
    const { clock, feed } = this.#options;
    let nextS = clock.nowS() + SWEEP_S;
    while (!isOver()) {
      const missed = feed.takeMissed();
      if (missed) await this.#reread(missed, isOver);
      else if (clock.nowS() >= nextS) {
        const isDone = await this.#sweep(isOver);
        nextS = clock.nowS() + (isDone ? SWEEP_S : SWEEP_AGAIN_S);
      } else await sleep(LOOK_MS / clock.setting.speed, undefined, { ref: false });
    }
  }

  async #reread(missed: Missed, isOver: () => boolean): Promise<void> {
    this.#rereading = missed;
    const order = () => ({
      partitions: missed.partitions,
      // What is journaled from now on is heard in this second or later.
      missedUntilS: this.#options.clock.nowS() - 1,
    });
    await this.#read(order, isOver);
    if (!isOver()) this.#rereading = undefined;
  }

  /** Whether it came to its end. */
  async #sweep(isOver: () => boolean): Promise<boolean> {
    const { sources, clock, feed, note } = this.#options;
    const pages = Math.max(1, this.#rows / PAGE_ROWS);
    const pageMs = Math.min(LONGEST_PAGE_MS, (SWEEP_S * SWEEP_SHARE * 1000) / pages) / clock.setting.speed;
    // Rows that were dropped look as if another one had written them.
    const isUrgent = () => isOver() || feed.missed !== undefined;
    try {
      const { rows, foreign } = await readTable(sources, { sweptFromS: clock.nowS(), pageMs, isUrgent });
      this.#rows = rows;
      if (foreign > 0 && !this.#isShared) note('another reporter writes to this table');
      this.#isShared = foreign > 0;
      return true;
    } catch {
      // Whether the store can be read is of interest where something is needed from it.
      return false;
    }
  }

  /** Tries until it is read, or it is over. */
  async #read(order: () => ReadingOrder, isOver: () => boolean): Promise<void> {
    const { sources, note } = this.#options;
    for (let attempt = 1; !isOver(); attempt++) {
      try {
        this.#rows = (await readTable(sources, order())).rows;
        if (this.#isUnreadable) note('the store can be read again');
        this.#isUnreadable = false;
        return;
      } catch (error) {
        if (isOver()) return;
        if (!this.#isUnreadable) note(`the store cannot be read: ${errorOf(error).message}`);
        this.#isUnreadable = true;
        await sleep(backoffMs(attempt, RETRY), undefined, { ref: false });
      }
    }
  }
}
