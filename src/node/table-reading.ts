import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { SnapshotSource } from '../journal/contract.js';
import { type Row, TAG, WORDS_PER_ROW } from '../model/row.js';
import { partitionOf } from '../partition/hash.js';
import type { StoreReader } from '../store/contract.js';
import { ViewUnavailable } from '../view/live.js';
import type { ViewThread } from '../view/thread/view-thread.js';

/** Rows handed over at once. */
const PAGE_ROWS = 1000;
const SLOTS = 4096;
/** While agents send, reading takes one part of the time in so many. */
const SHARE_WHEN_BUSY = 10;
const LONGEST_PAUSE_MS = 250;
const REBUILD_POLL_MS = 100;
/** The thread takes in rows that are fed before those that are read. */
const TAKEN_WITHIN_MS = 60_000;

export interface ReadingSources {
  readonly thread: ViewThread;
  /** Undefined where the store has no read side. */
  readonly store: StoreReader | undefined;
  /** What waits for the store, of each partition; undefined while that is being rebuilt. */
  readonly pending: readonly (() => SnapshotSource | undefined)[];
  /** Whether agents send. */
  readonly isBusy: () => boolean;
}

export interface ReadingOrder {
  /** Only these partitions; all unless given. */
  readonly partitions?: ReadonlySet<number>;
  /** What was heard up to then may have missed something. */
  readonly missedUntilS?: number;
  readonly isWarmUp?: boolean;
  /** What is not in the table any more is forgotten, if it was last heard before this second. */
  readonly sweptFromS?: number;
  /** Milliseconds a page is to take, pauses included: for readings that are in no hurry. */
  readonly pageMs?: number;
  /** Asked after each page: whether something else is more urgent. Then it rejects with ReadingAbandoned. */
  readonly isUrgent?: () => boolean;
}

/** A reading made way for another one. */
export class ReadingAbandoned extends Error {}

/** What a reading has come upon. */
export interface ReadingOutcome {
  /** Rows in the store. */
  rows: number;
  /** Rows that were heard, and which the store has a newer report of. */
  foreign: number;
}

/**
 * Reads what waits for the store, then what is in it, and hands both to the view. So each key has its newest value:
 * what does not wait any more is in the store by then. Rejects as the store does, or when the thread ends.
 */
export async function readTable(sources: ReadingSources, order: ReadingOrder): Promise<ReadingOutcome> {
  const { thread, store, pending } = sources;
  const { partitions, missedUntilS, isWarmUp = false, sweptFromS = null, pageMs = 0, isUrgent } = order;
  const outcome: ReadingOutcome = { rows: 0, foreign: 0 };
  const pace = new Pace(sources.isBusy, pageMs);
  const hand = async (rows: Int32Array<ArrayBuffer>, from: 'pending' | 'store') => {
    if (rows.length > 0) {
      const question = { rows, from, missedUntilS };
      const { foreign } = await thread.request('rows', question, [rows.buffer], TAKEN_WITHIN_MS);
      outcome.foreign += foreign;
    }
    await pace.pause();
    if (isUrgent?.()) throw new ReadingAbandoned();
  };
  await thread.request('begin', { isWarmUp });
  for (const [partition, source] of pending.entries())
    if (!partitions || partitions.has(partition))
      await readPending(thread, source, (rows) => hand(rows, 'pending'));
  if (store) {
    const wanted = partitions && wantedOf(partitions, pending.length);
    for await (const page of pagesOf(store, wanted, outcome)) await hand(page, 'store');
  }
  await thread.request('end', { sweptFromS: store ? sweptFromS : null }, [], TAKEN_WITHIN_MS);
  return outcome;
}

/** In pieces. A row keeps its place while it waits; where its writer was rebuilt meanwhile, it begins again. */
async function readPending(
  thread: ViewThread,
  source: () => SnapshotSource | undefined,
  hand: (rows: Int32Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  for (;;) {
    const slots = source();
    if (!slots) {
      if (!thread.isUp) throw new ViewUnavailable('its thread has ended');
      await sleep(REBUILD_POLL_MS, undefined, { ref: false });
      continue;
    }
    let from = 0;
    for (; from < slots.slotEnd && source() === slots; from += SLOTS)
      await hand(new Int32Array(slots.copySlots(from, from + SLOTS)));
    if (source() === slots) return;
  }
}

type Wanted = (row: Row) => boolean;

/** Whether a row is of one of the partitions; rows of one service come one after the other. */
function wantedOf(partitions: ReadonlySet<number>, count: number): Wanted {
  let [modid, cmdid, isWanted] = [Number.NaN, Number.NaN, false];
  return (row) => {
    if (row.modid !== modid || row.cmdid !== cmdid) {
      ({ modid, cmdid } = row);
      isWanted = partitions.has(partitionOf(modid, cmdid, count));
    }
    return isWanted;
  };
}

async function* pagesOf(
  store: StoreReader,
  wanted: Wanted | undefined,
  outcome: ReadingOutcome,
): AsyncGenerator<Int32Array<ArrayBuffer>> {
  let page = new Int32Array(PAGE_ROWS * WORDS_PER_ROW);
  let [length, read] = [0, 0];
  for await (const row of store.rows()) {
    read++;
    if (!wanted || wanted(row)) {
      pack(row, page, length);
      length += WORDS_PER_ROW;
    }
    if (read < PAGE_ROWS) continue;
    outcome.rows += read;
    yield page.slice(0, length);
    page = new Int32Array(PAGE_ROWS * WORDS_PER_ROW);
    [length, read] = [0, 0];
  }
  outcome.rows += read;
  yield page.slice(0, length);
}

function pack(row: Row, words: Int32Array, at: number): void {
  words[at] = row.modid;
  words[at + 1] = row.cmdid;
  words[at + 2] = row.ip;
  words[at + 3] = row.port;
  words[at + 4] = row.caller;
  words[at + 5] = row.succ;
  words[at + 6] = row.err;
  words[at + 7] = row.ts;
  words[at + TAG] = row.overload ? 1 : 0;
}

/** Reading makes way for what agents send. */
class Pace {
  readonly #isBusy: () => boolean;
  readonly #pageMs: number;
  #since = performance.now();

  constructor(isBusy: () => boolean, pageMs: number) {
    this.#isBusy = isBusy;
    this.#pageMs = pageMs;
  }

  async pause(): Promise<void> {
    const tookMs = performance.now() - this.#since;
    const busyMs = this.#isBusy() ? Math.min(tookMs * (SHARE_WHEN_BUSY - 1), LONGEST_PAUSE_MS) : 0;
    const pauseMs = Math.max(busyMs, this.#pageMs - tookMs);
    if (pauseMs >= 1) await sleep(pauseMs, undefined, { ref: false });
    else await nextTurn();
    this.#since = performance.now();
  }
}
