import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { backoffMs } from '../../model/backoff.js';
import { errorOf } from '../../model/errors.js';
import type { ViewCounts } from '../../model/view-status.js';
import type { ViewFeed } from '../feed/view-feed.js';
import { ViewRefusal, ViewUnavailable } from '../live.js';
import type { Boot, FromWorker, RequestKind, Requests, ToWorker } from '../worker/worker-protocol.js';

const SOURCE = new URL('../worker/view-worker.js', import.meta.url);
const RESTARTS = { firstMs: 500, lastMs: 30_000 };
/** A thread that has lived so long has not failed at what the one before did. */
const PROVEN_MS = 60_000;
const LOOK_MS = 1000;
/** So many looks in which nothing moved, and it hangs. Looks are counted, not time: the process may have been stopped. */
const MAX_STILL = 10;
/** What is asked is given up after this time. */
const ANSWER_MS = 10_000;
const STOP_MS = 1000;
/** A thread that has just been started hears nothing for so long, on a machine that is very busy. */
const START_MS = 15_000;

export type TickMessage = Extract<FromWorker, { kind: 'tick' }>;

export interface ViewThreadOptions {
  readonly feed: ViewFeed;
  /** What a thread is started with, besides what comes from the feed. */
  readonly boot: Omit<Boot, 'ring' | 'peers' | 'tick'>;
  /** A thread is up and knows nothing yet. */
  readonly onUp: () => void;
  readonly onTick: (message: TickMessage) => void;
  readonly onComplaint: (why: string) => void;
  /** The thread has ended by itself; another one is started after `pauseMs`. */
  readonly onDeath: (error: Error, pauseMs: number) => void;
  /** For tests: what runs in the thread, and how often it is looked whether it still moves, in milliseconds. */
  readonly source?: URL;
  readonly lookMs?: number;
}

interface Waiting {
  readonly resolve: (reply: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The thread that the view lives in, and its successors: one that dies or hangs is replaced. */
export class ViewThread {
  readonly #options: ViewThreadOptions;
  #worker: Worker | undefined;
  /** It has ticked. */
  #isUp = false;
  #isStopped = false;
  #restarts = 0;
  #attempt = 0;
  #startedMs = 0;
  #tick = 0;
  #counts: ViewCounts | undefined;
  /** Counts of the threads before. */
  #past: ViewCounts | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #restart: NodeJS.Timeout | undefined;
  readonly #look: NodeJS.Timeout;
  #beat = 0;
  #still = 0;

  constructor(options: ViewThreadOptions) {
    this.#options = options;
    this.#look = setInterval(() => this.#watch(), options.lookMs ?? LOOK_MS);
    this.#look.unref();
    this.#start();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Times a thread has ended by itself. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Of the last tick of any thread; undefined before the first one. What has begun is counted over all threads. */
  get counts(): ViewCounts | undefined {
    return this.#counts;
  }

  /** Rejects with ViewUnavailable while no thread is up, or when it does not answer. */
  request<Kind extends RequestKind>(
    kind: Kind,
    question: Requests[Kind]['question'],
    transfer: readonly ArrayBuffer[] = [],
    withinMs = ANSWER_MS,
  ): Promise<Requests[Kind]['reply']> {
    const worker = this.#worker;
    if (!worker || !this.#isUp)
      return Promise.reject(new ViewUnavailable('the view is starting; ask again in some seconds'));
    return this.#ask(worker, kind, question, transfer, withinMs);
  }

  #ask<Kind extends RequestKind>(
    worker: Worker,
    kind: Kind,
    question: Requests[Kind]['question'],
    transfer: readonly ArrayBuffer[],
    withinMs: number,
  ): Promise<Requests[Kind]['reply']> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(
        () => this.#take(id)?.reject(new ViewUnavailable('the view is busy; ask again in some seconds')),
        withinMs,
      );
      timer.unref();
      this.#waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ kind, id, question }, transfer);
    });
  }

  /** Tells the thread something; not heard while none is up. */
  tell(message: Exclude<ToWorker, { id: number }>): void {
    if (this.#isUp) this.#worker?.postMessage(message);
  }

  /** Lets the thread keep what is to be kept, and ends it. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearInterval(this.#look);
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker) {
      // The process does not end before it has.
      worker.ref();
      // Also one that only starts: whoever ends a thread while it opens the history waits for it for ever.
      const stopped = this.#ask(worker, 'stop', null, [], this.#isUp ? STOP_MS : START_MS).catch(() => {});
      await Promise.race([stopped, new Promise((resolve) => worker.once('exit', resolve))]);
    }
    this.#down(new ViewUnavailable('the reporter stops'));
    if (worker) await Promise.race([worker.terminate(), sleep(STOP_MS, undefined, { ref: false })]);
  }

  /** For tests: the thread dies. */
  async kill(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): void {
    const { feed, boot, source = SOURCE } = this.#options;
    const { ring, peers } = feed.attach();
    this.#startedMs = performance.now();
    this.#still = 0;
    try {
      const workerData: Boot = { ...boot, ring, peers, tick: this.#tick };
      // A thread of a host with flags of its own would not start with all of them.
      const worker = new Worker(source, { workerData, execArgv: [], name: 'lars-view' });
      this.#worker = worker;
      worker.unref();
      worker.on('message', (message: FromWorker) => this.#hear(worker, message));
      worker.on('error', (error) => this.#died(worker, errorOf(error)));
      worker.on('exit', () => this.#died(worker, new Error('its thread has ended')));
    } catch (error) {
      this.#died(undefined, errorOf(error));
    }
  }

  #hear(worker: Worker, message: FromWorker): void {
    if (worker !== this.#worker) return;
    switch (message.kind) {
      case 'tick':
        this.#tick = message.tick;
        this.#counts = sum(this.#past, message.counts);
        if (!this.#isUp) {
          this.#isUp = true;
          this.#options.onUp();
        }
        this.#options.onTick(message);
        break;
      case 'reply':
        this.#take(message.id)?.resolve(message.reply as never);
        break;
      case 'failed':
        this.#take(message.id)?.reject(
          message.isRefusal ? new ViewRefusal(message.why) : new Error(`the view failed: ${message.why}`),
        );
        break;
      case 'complaint':
        this.#options.onComplaint(message.why);
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (!waiting) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #watch(): void {
    if (!this.#worker) return;
    const { beat } = this.#options.feed;
    this.#still = beat === this.#beat ? this.#still + 1 : 0;
    this.#beat = beat;
    if (this.#still < MAX_STILL) return;
    const worker = this.#worker;
    this.#died(worker, new Error(`its thread has not moved at ${MAX_STILL} looks`));
    void worker.terminate();
  }

  #died(worker: Worker | undefined, error: Error): void {
    if (this.#isStopped || worker !== this.#worker) return;
    this.#down(new ViewUnavailable('the view has failed and starts again; ask again in some seconds'));
    this.#restarts++;
    if (performance.now() - this.#startedMs > PROVEN_MS) this.#attempt = 0;
    const pauseMs = backoffMs(++this.#attempt, RESTARTS);
    this.#options.onDeath(error, pauseMs);
    this.#restart = setTimeout(() => this.#start(), pauseMs);
    this.#restart.unref();
  }

  #down(error: Error): void {
    this.#worker = undefined;
    this.#isUp = false;
    this.#past = this.#counts;
    this.#options.feed.detach();
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
  }
}

function sum(past: ViewCounts | undefined, counts: ViewCounts): ViewCounts {
  if (!past) return counts;
  const { host, blackout, errors } = counts.incidentsBegun;
  return {
    ...counts,
    incidentsBegun: {
      host: past.incidentsBegun.host + host,
      blackout: past.incidentsBegun.blackout + blackout,
      errors: past.incidentsBegun.errors + errors,
    },
    mismatches: past.mismatches + counts.mismatches,
  };
}
