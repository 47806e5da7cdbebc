import { setTimeout as pause } from 'node:timers/promises';
import { type BackoffLimits, backoffMs } from '../model/backoff.js';
import { messageOf, ReporterError } from '../model/errors.js';
import type { Report } from '../model/report.js';
import type { AgentTls } from './agent-tls.js';
import { type AgentConnection, connectAgent } from './connection.js';
import { encodeReportFrames } from './encode.js';
import { Outbox, type OutboxCounts, type ServiceKey } from './outbox.js';

/** Where an agent reports to, and what it may hold. */
export interface ReportingAgentOptions {
  readonly host: string;
  readonly port: number;
  /** Speaks TLS. A function is asked for each connection: certificates may be renewed. */
  readonly tls?: AgentTls | (() => AgentTls) | undefined;
  /** Services whose newest report is kept, to be sent on the next connection. 1 and more; default 10,000. */
  readonly maxServices?: number;
  /** Bytes of all reports that are kept. Default 16 MiB: services with 1,000 hosts take about 40 KB each. */
  readonly maxBytes?: number;
  /** Pauses between attempts to connect: doubling, half of each by chance. Default 100 ms to 10 s. */
  readonly pauses?: BackoffLimits;
  /** Longest wait for one attempt to connect, in milliseconds. Default 5000; with TLS, whose handshake may wait for its turn, 15000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait of `close` for the reporter to read everything, in milliseconds. Default 10000. */
  readonly closeTimeoutMs?: number;
  /** Told what happens. What it throws is ignored. */
  readonly onEvent?: (event: AgentEvent) => void;
}

/** What happens to an agent. */
export type AgentEvent =
  | { readonly type: 'connected' }
  /** The connection was lost, or one could not be made. It is tried again in `pauseMs`. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly pauseMs: number }
  /** A report of this service was never sent: there was no room for it, or the agent was closed first. */
  | ({ readonly type: 'dropped' } & ServiceKey);

export interface AgentCounts extends OutboxCounts {
  /** How often a connection was made after one was lost. */
  readonly reconnects: number;
}

const PAUSES: BackoffLimits = { firstMs: 100, lastMs: 10_000 };
/** A connection that lived so long was a good one: the next pause is the first again. */
const GOOD_AFTER_MS = 5000;
/** Bytes written at a time. What was written cannot be replaced by something newer any more. */
const BATCH_BYTES = 65_536;

/**
 * Starts an agent: it connects in the background, for ever, and reports can be given to it at once. Throws RangeError
 * when an option is unusable.
 */
export function startAgent(options: ReportingAgentOptions): ReportingAgent {
  return new ReportingAgent(options);
}

/**
 * An agent that survives its connections. Of each service (modid, cmdid, caller) it holds the newest report. While
 * there is no connection, or a slow one, a newer report replaces the older one. A reporter sends no receipt: after a
 * lost connection the newest report of each service is sent again, whether it was sent before or not.
 *
 * So each report must hold every host of its service, as those of the original agent do.
 */
export class ReportingAgent {
  readonly #options: ReportingAgentOptions;
  readonly #outbox: Outbox;
  /** Aborted when nothing more is tried. */
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** Aborted when a pause is over before its time. */
  #resting = new AbortController();
  #connection: AgentConnection | undefined;
  #connections = 0;
  #attempt = 0;
  #wake: () => void = () => {};
  #closing: Promise<void> | undefined;
  /** Why it ended before everything was read. */
  #failure: ReporterError | undefined;
  #lastProblem = 'no connection was made yet';

  /** For `startAgent`. */
  constructor(options: ReportingAgentOptions) {
    this.#options = options;
    const { port, maxServices = 10_000, maxBytes = 16_777_216 } = options;
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new RangeError(`port is ${port}; it must be 1 to 65535`);
    for (const [name, value] of Object.entries({ maxServices, maxBytes }))
      if (!(value >= 1)) throw new RangeError(`${name} is ${value}; it must be 1 or more`);
    this.#outbox = new Outbox({ maxServices, maxBytes }, (key) => this.#tell({ type: 'dropped', ...key }));
    this.#running = this.#run();
  }

  /**
   * Takes a report of any number of hosts, at once, in the place of an older one of its service that waits. Returns
   * false when it was dropped: it alone is larger than `maxBytes`, or the agent is closed. To make room for it,
   * reports of other services may be dropped: counts and events say so.
   */
  report(report: Report): boolean {
    if (this.#closing) return false;
    const isTaken = this.#outbox.put(report, encodeReportFrames(report));
    this.#wake();
    return isTaken;
  }

  get connected(): boolean {
    return this.#connection?.connected ?? false;
  }

  get counts(): AgentCounts {
    return { ...this.#outbox.counts, reconnects: Math.max(0, this.#connections - 1) };
  }

  /**
   * Takes no more reports, sends what waits, on new connections if need be, and waits until the reporter has read it.
   * Rejects with ReporterError `CONNECTION_FAILED` when that takes longer than `closeTimeoutMs`; what was not sent is
   * dropped then. Later calls return the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends at once; what waits is dropped, and a `close` that is under way rejects. */
  destroy(): void {
    this.#fail('was destroyed');
    this.close().catch(() => {});
  }

  async #close(): Promise<void> {
    const { closeTimeoutMs = 10_000 } = this.#options;
    const timer = setTimeout(
      () => this.#fail(`could not deliver everything within ${closeTimeoutMs} ms: ${this.#lastProblem}`),
      closeTimeoutMs,
    );
    // Nothing has to be delivered, or at once rather than in seconds.
    if (this.#outbox.services === 0 && !this.connected) this.#stopped.abort();
    this.#attempt = 0;
    this.#resting.abort();
    this.#wake();
    await this.#running;
    clearTimeout(timer);
    if (this.#failure) throw this.#failure;
  }

  /** Connection after connection, until it is closed. */
  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const connection = await this.#connect();
      if (!connection) continue;
      const beganMs = performance.now();
      try {
        await this.#use(connection);
        break;
      } catch (error) {
        connection.destroy();
        this.#connection = undefined;
        this.#attempt = attemptAfter(this.#attempt, performance.now() - beganMs);
        await this.#rest(error);
      }
    }
    this.#stopped.abort();
    this.#outbox.clear();
  }

  /** Undefined when it could not be made, after the pause. */
  async #connect(): Promise<AgentConnection | undefined> {
    const { host, port, tls, connectTimeoutMs } = this.#options;
    const { signal } = this.#stopped;
    try {
      // The end is bounded by whoever closes.
      const connection = await connectAgent({
        ...{ host, port, tls, signal },
        ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
        closeTimeoutMs: this.#options.closeTimeoutMs ?? 10_000,
        maxBufferedBytes: BATCH_BYTES,
      });
      this.#connection = connection;
      this.#connections++;
      this.#outbox.sendAgain();
      this.#tell({ type: 'connected' });
      return connection;
    } catch (error) {
      this.#attempt++;
      await this.#rest(error);
      return undefined;
    }
  }

  /** Sends until it is to close; resolves when the reporter has read everything. Rejects when the connection is lost. */
  async #use(connection: AgentConnection): Promise<void> {
    for (;;) {
      const batch = this.#outbox.take(BATCH_BYTES);
      if (batch) {
        let isWritten = false;
        try {
          await connection.sendBytes(batch.bytes);
          await connection.flush();
          isWritten = true;
        } finally {
          this.#outbox.settle(batch, isWritten);
        }
      } else if (this.#closing) {
        await connection.close();
        return;
      } else {
        await this.#somethingToDo(connection);
        await connection.flush();
      }
    }
  }

  /** Resolves when there may be something to write, or the connection is lost. */
  #somethingToDo({ ended }: AgentConnection): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        ended.removeEventListener('abort', wake);
        this.#wake = () => {};
        resolve();
      };
      this.#wake = wake;
      ended.addEventListener('abort', wake);
      if (ended.aborted) wake();
    });
  }

  async #rest(error: unknown): Promise<void> {
    this.#lastProblem = messageOf(error);
    if (this.#stopped.signal.aborted) return;
    const pauseMs = backoffMs(this.#attempt, this.#options.pauses ?? PAUSES);
    this.#resting = new AbortController();
    const { signal } = this.#resting;
    this.#tell({ type: 'disconnected', reason: this.#lastProblem, pauseMs });
    await pause(pauseMs, undefined, { signal }).catch(() => {});
  }

  #fail(why: string): void {
    if (this.#stopped.signal.aborted) return;
    const { host, port } = this.#options;
    this.#failure = new ReporterError('CONNECTION_FAILED', `the agent of ${host}:${port} ${why}`);
    this.#stopped.abort();
    this.#resting.abort();
    this.#connection?.destroy();
    this.#wake();
  }

  #tell(event: AgentEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // The failure of who listens is theirs.
    }
  }
}

/** Number of the attempt that follows a connection that was lost after so long. */
export function attemptAfter(attempt: number, livedMs: number): number {
  return livedMs > GOOD_AFTER_MS ? 1 : attempt + 1;
}
