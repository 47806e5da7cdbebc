import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { ReporterError } from '../model/errors.js';
import type { Report } from '../model/report.js';
import { type AgentTls, NOT_TAKEN } from './agent-tls.js';
import { encodeReportFrame } from './encode.js';
import { openSocket, reasonOf, TOO_MANY } from './open-socket.js';

/** Where a connection goes, and how long it is tried. */
export interface AgentOptions {
  readonly host: string;
  readonly port: number;
  /** Speaks TLS. A function is asked for each connection: certificates may be renewed. */
  readonly tls?: AgentTls | (() => AgentTls) | undefined;
  /** Bytes held for a reporter that does not take them yet, before `send` waits. Default 1 MiB. */
  readonly maxBufferedBytes?: number;
  /** Longest wait for one attempt to connect, in milliseconds. Default 5000; with TLS, whose handshake may wait for its turn, 15000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait of `close` for the reporter to take everything, in milliseconds. Default 10000. */
  readonly closeTimeoutMs?: number;
  /** Gives up a `connectAgent` that is still trying. */
  readonly signal?: AbortSignal;
}

/**
 * A connection is not ended before it has lived so long. Who refuses one, ends it at once; were it ended from here
 * first, the other side's end would look like the answer to ours.
 */
const REFUSED_WITHIN_MS = 100;
/** A connection lost within so long was hardly read. Longer than above: a busy process notices late. */
const YOUNG_MS = 1000;

const UNSURE = 'what was sent last may not have been read';

/** Promise of everything that was taken at once; one for all, as there may be a million sends a second. */
const TAKEN = Promise.resolve();

/** Connects to a reporter, once. Rejects with ReporterError `CONNECTION_FAILED` when it cannot be reached. */
export async function connectAgent(options: AgentOptions): Promise<AgentConnection> {
  return new AgentConnection(options, await openSocket(options));
}

/**
 * One connection, as the original agent has it: what is lost with it is lost. `startAgent` makes lost ones anew. Bytes
 * wait in memory up to `maxBufferedBytes`, then senders wait.
 *
 * A reporter sends no receipt for a report. What the operating system has taken when a connection is lost may be
 * lost with it.
 */
export class AgentConnection {
  readonly #options: AgentOptions;
  readonly #maxBufferedBytes: number;
  #socket: Socket | undefined;
  readonly #connectedAt = performance.now();
  readonly #ended = new AbortController();
  /** Taken, not yet given to the socket. */
  #queue: Uint8Array[] = [];
  /** Given to the socket, not yet taken by the operating system. One write at a time: the queue grows meanwhile. */
  #writing: Uint8Array | undefined;
  #bufferedBytes = 0;
  #senders: { bytes: Uint8Array; resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #failure: ReporterError | undefined;
  #closing: Promise<void> | undefined;

  /** For `connectAgent`. */
  constructor(options: AgentOptions, socket: Socket) {
    this.#options = options;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 1_048_576;
    this.#adopt(socket);
  }

  /** Bytes taken and not yet passed to the operating system. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** False when the connection was lost or closed. */
  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Aborted when the connection is lost or closed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Sends a report, after all that were sent before. Resolves when it was taken, at once while there is room;
   * a caller that awaits it is slowed down to the reporter's pace.
   *
   * Rejects with ReporterError `CONNECTION_FAILED` when the connection is lost or closed. Throws
   * FrameError when the report does not fit a frame.
   */
  send(report: Report): Promise<void> {
    return this.sendBytes(encodeReportFrame(report));
  }

  /** As `send`, but returns false and takes nothing where `send` would wait or reject. */
  trySend(report: Report): boolean {
    const bytes = encodeReportFrame(report);
    if (this.#whyEnded() || !this.#hasRoomFor(bytes)) return false;
    this.#take(bytes);
    return true;
  }

  /**
   * As `send`, for bytes as they are: frames of any kind, good or bad. They must not be changed until they are
   * flushed.
   */
  sendBytes(bytes: Uint8Array): Promise<void> {
    const ended = this.#whyEnded();
    if (ended) return Promise.reject(ended);
    if (this.#hasRoomFor(bytes)) {
      this.#take(bytes);
      return TAKEN;
    }
    return new Promise((resolve, reject) => this.#senders.push({ bytes, resolve, reject }));
  }

  /**
   * Resolves when the operating system has everything that was sent, also what is sent while it waits. Rejects with
   * ReporterError `CONNECTION_FAILED` when the connection is lost or destroyed first.
   */
  flush(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#isFlushed()) return TAKEN;
    return new Promise((resolve, reject) => this.#flushers.push({ resolve, reject }));
  }

  /**
   * Writes everything, ends the connection in order and waits until the other side has ended it, too, which a reporter
   * does when it has read it all. Rejects with ReporterError `CONNECTION_FAILED` when the connection was refused, reset
   * or ended by the other side before, or when it takes longer than `closeTimeoutMs`. Later calls return the same
   * promise.
   *
   * What it cannot know: whether the other side is a reporter. A balancer without one behind it may take everything and
   * answer the end in the same way.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the connection at once, wherever the stream is; what waits is rejected and lost. */
  destroy(): void {
    this.#fail(this.#failed('was destroyed'));
  }

  async #close(): Promise<void> {
    const timeoutMs = this.#options.closeTimeoutMs ?? 10_000;
    const timer = setTimeout(
      () => this.#fail(this.#failed(`did not take everything within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const socket = await this.#settled();
      await new Promise<void>((resolve, reject) => {
        this.#flushers.push({ resolve, reject });
        socket.end();
      });
    } finally {
      clearTimeout(timer);
      this.#failure ??= this.#failed('is closed');
      this.#ended.abort();
    }
  }

  /** Resolves when everything is written, with the connection when it would have been refused by now. */
  async #settled(): Promise<Socket> {
    await this.flush();
    const leftMs = this.#connectedAt + REFUSED_WITHIN_MS - performance.now();
    if (leftMs > 0) await pause(leftMs, undefined, { signal: this.ended }).catch(() => {});
    // In a busy process the time may be over before what came meanwhile was looked at.
    await nextTurn();
    await this.flush();
    if (!this.#socket) throw this.#failure ?? this.#failed('is closed');
    return this.#socket;
  }

  #adopt(socket: Socket): void {
    this.#socket = socket;
    let problem: Error | undefined;
    socket.on('error', (error) => {
      problem = error;
    });
    // An end of the reporter's side, unless it answers ours, means that it takes nothing more.
    socket.on('end', () => {
      if (!socket.writableEnded) socket.destroy();
    });
    socket.on('close', () => this.#lost(socket, problem));
    // What the reporter sends is not for us, but left unread it would turn our end into a reset.
    socket.resume();
    this.#pump();
  }

  #lost(socket: Socket, problem: Error | undefined): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    if (socket.writableFinished && !problem) {
      this.#settleFlushers();
      return;
    }
    const isYoung = performance.now() - this.#connectedAt < YOUNG_MS;
    const how = problem ? `broke (${reasonOf(problem)})` : 'was closed by the other side';
    const advice = problem || isYoung ? `${TOO_MANY}${this.#options.tls ? NOT_TAKEN : ''}` : '';
    this.#fail(this.#failed(`${how}: ${UNSURE}${advice}`, problem));
  }

  #pump(): void {
    const socket = this.#socket;
    if (!socket || this.#writing || this.#queue.length === 0) return;
    // One large write costs far less than one for each report.
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue);
    this.#queue = [];
    this.#writing = bytes;
    socket.write(bytes, (error) => {
      // The write of a socket that was destroyed meanwhile ends without an error, and without having been done.
      if (error || socket.destroyed || this.#writing !== bytes) return;
      this.#writing = undefined;
      this.#bufferedBytes -= bytes.length;
      this.#admitSenders();
      this.#pump();
      if (this.#isFlushed()) this.#settleFlushers();
    });
  }

  #take(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#pump();
  }

  #admitSenders(): void {
    let admitted = 0;
    for (const { bytes, resolve } of this.#senders) {
      if (!this.#fits(bytes)) break;
      this.#queue.push(bytes);
      this.#bufferedBytes += bytes.length;
      resolve();
      admitted++;
    }
    this.#senders.splice(0, admitted);
  }

  /** Room is only for those behind whom nobody waits, or order would be lost. */
  #hasRoomFor(bytes: Uint8Array): boolean {
    return this.#senders.length === 0 && this.#fits(bytes);
  }

  #fits(bytes: Uint8Array): boolean {
    return this.#bufferedBytes === 0 || this.#bufferedBytes + bytes.length <= this.#maxBufferedBytes;
  }

  #isFlushed(): boolean {
    return this.#bufferedBytes === 0 && this.#senders.length === 0;
  }

  #settleFlushers(): void {
    for (const { resolve } of this.#flushers.splice(0)) resolve();
  }

  /** Why nothing more is taken; undefined while something is. */
  #whyEnded(): ReporterError | undefined {
    return this.#failure ?? (this.#closing ? this.#failed('is being closed') : undefined);
  }

  #failed(what: string, cause?: Error): ReporterError {
    const { host, port } = this.#options;
    return new ReporterError('CONNECTION_FAILED', `the connection to ${host}:${port} ${what}`, { cause });
  }

  #fail(failure: ReporterError): void {
    if (this.#failure) return;
    this.#failure = failure;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#queue = [];
    this.#writing = undefined;
    this.#bufferedBytes = 0;
    for (const { reject } of this.#senders.splice(0)) reject(failure);
    for (const { reject } of this.#flushers.splice(0)) reject(failure);
    this.#ended.abort();
  }
}
