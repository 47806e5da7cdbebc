import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeReportFrame } from '../client/encode.js';
import { messageOf, ReporterError } from '../model/errors.js';
import type { Report } from '../model/report.js';
import { encodeFrame } from '../wire/frame.js';
import { MessageId } from '../wire/messages.js';
import { type BadBody, badFrame, frameHeader, splitAt } from './frames.js';

/** Where a hostile agent connects to. */
export interface HostileAgentOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Address to come from: all of 127.0.0.0/8 belongs to this machine, so one test can be many peers. */
  readonly localAddress?: string;
  /** Longest wait for the connection, in milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number;
}

/** How a connection came to its end, as the agent saw it. */
export type Ending =
  /** The other side closed it in good order. */
  | 'closed'
  /** The other side reset it, or the network did. */
  | 'reset'
  /** The agent ended it: `close`, `reset`. */
  | 'ended';

/**
 * An agent on a bare socket, for good, bad, split, slow and huge input. It sends just the bytes it is told to, checks
 * nothing, never reconnects, and takes it calmly when its connection is closed: tests expect that.
 *
 *     import { badFrame, HostileAgent } from 'lars-reporter/testing';
 *
 *     const agent = await HostileAgent.connect({ port: reporter.address.port });
 *     await agent.send(report);                      // good
 *     await agent.sendBytes(badFrame());             // dropped, counted as undecodable
 *     await agent.sendSplit(frame, [1, 8, 9]);       // in four writes
 *     await agent.trickle(frame, { everyMs: 1 });    // byte by byte
 *     await agent.sendBytes(paddedFrame(report));    // the largest frame there is
 *     agent.claim(65_527);                           // a header; its body never comes
 *     await agent.closed;                            // 'closed': the reporter lost patience
 *
 * Sending resolves to true when the operating system has taken all of it, and to false when the connection was over
 * before; it never rejects. An agent holds a socket until its connection is closed: end each with `close`, `reset` or
 * `destroy`.
 */
export class HostileAgent {
  readonly #socket: Socket;
  #ended = false;
  #vanished = false;
  #receivedBytes = 0;
  readonly #replies: Buffer[] = [];
  /** Those who wait for the operating system to take what they sent. */
  readonly #sending = new Set<(isTaken: boolean) => void>();
  /** Resolves when the connection is over, to how it came to its end. Never rejects. */
  readonly closed: Promise<Ending>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    let isReset = false;
    socket.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      this.#replies.push(chunk);
    });
    this.closed = new Promise((resolve) => {
      const over = () => {
        // A socket that is destroyed does not always call back.
        for (const sent of this.#sending) sent(false);
        resolve(this.#ended ? 'ended' : isReset ? 'reset' : 'closed');
      };
      socket.on('error', () => {
        isReset = true;
        // Node emits no `close` when a reset fails, which it does while an end in good order is under way.
        if (this.#ended) over();
      });
      socket.once('close', over);
    });
  }

  /** Connects. Rejects with ReporterError `CONNECTION_FAILED` when it cannot. */
  static async connect({
    host = '127.0.0.1',
    port,
    localAddress,
    connectTimeoutMs = 5000,
  }: HostileAgentOptions): Promise<HostileAgent> {
    const socket = connect({ host, port, noDelay: true, ...(localAddress ? { localAddress } : {}) });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) });
    } catch (cause) {
      socket.on('error', () => {});
      socket.destroy();
      throw new ReporterError(
        'CONNECTION_FAILED',
        `cannot connect to ${host}:${port}: ${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)}`,
        { cause },
      );
    }
    return new HostileAgent(socket);
  }

  /** Whether the connection still stands, as far as the agent knows. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Bytes the agent was sent and has read. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** What the agent was sent and has read: frames that the reporter's handlers replied. */
  received(): Buffer {
    return Buffer.concat(this.#replies);
  }

  /** Sends a report as a good agent does. Throws FrameError when it does not fit a frame. */
  send(report: Report): Promise<boolean> {
    return this.sendBytes(encodeReportFrame(report));
  }

  /** Sends a frame of any id and body. Throws FrameError when the body is longer than the protocol allows. */
  sendFrame(id: number, body: Uint8Array): Promise<boolean> {
    return this.sendBytes(encodeFrame(id, body));
  }

  /** Sends `count` frames that claim to be reports and are none. */
  sendBad(count = 1, kind?: BadBody): Promise<boolean> {
    const frame = badFrame(kind);
    return this.sendBytes(Buffer.concat(Array.from({ length: count }, () => frame)));
  }

  /** Sends bytes as they are, in one write. */
  sendBytes(bytes: Uint8Array): Promise<boolean> {
    if (this.#vanished || !this.#socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#sending.add(resolve);
      this.#socket.write(bytes, (error) => {
        this.#sending.delete(resolve);
        // The write of a socket that was destroyed meanwhile ends without an error, and without having been done.
        resolve(!error && !this.#socket.destroyed);
      });
    });
  }

  /**
   * Sends bytes cut at `cuts`, each piece a write of its own, and lets the event loop turn in between, so that a
   * reporter in the same process reads it in these pieces. The system may still join some: a test that needs exact
   * pieces gives them to a `FrameDecoder` itself.
   */
  async sendSplit(bytes: Uint8Array, cuts: Iterable<number>): Promise<boolean> {
    for (const piece of splitAt(bytes, cuts)) {
      if (!(await this.sendBytes(piece))) return false;
      await new Promise(setImmediate);
    }
    return true;
  }

  /** Sends bytes one by one, or `pieceBytes` at a time, with a pause in front of each but the first. */
  async trickle(
    bytes: Uint8Array,
    { everyMs, pieceBytes = 1 }: { readonly everyMs: number; readonly pieceBytes?: number },
  ): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (at > 0) await pause(everyMs);
      if (!(await this.sendBytes(bytes.subarray(at, at + pieceBytes)))) return false;
    }
    return true;
  }

  /**
   * Sends a header that claims `bodyBytes` (int32, also what is not allowed), and `sent` in place of such a body.
   * `id` is that of reports unless given.
   */
  claim(
    bodyBytes: number,
    {
      id = MessageId.reportStatusRequest,
      sent = new Uint8Array(0),
    }: { readonly id?: number; readonly sent?: Uint8Array } = {},
  ): Promise<boolean> {
    return this.sendBytes(Buffer.concat([frameHeader(id, bodyBytes), sent]));
  }

  /** Reads nothing more of what it is sent: replies pile up in the systems of both sides, then in the reporter. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Reads again after `stopReading`. */
  readOn(): void {
    this.#socket.resume();
  }

  /**
   * Plays dead: sends nothing more (later calls resolve to false), reads nothing more, and closes nothing. What a
   * reporter sees of a machine that was switched off, but for the answers of its system to probes.
   */
  vanish(): void {
    this.#socket.pause();
    this.#vanished = true;
  }

  /** Closes its half of the connection after all that was sent; the other side may still send. */
  endSending(): void {
    this.#socket.end();
  }

  /** Closes in good order. Resolves when the connection is over. */
  async close(): Promise<void> {
    this.#ended = true;
    // What is left unread would turn the end into a reset.
    this.#socket.resume();
    this.#socket.end();
    await this.closed;
  }

  /** Breaks off with a reset: what was sent and not yet read may be lost to the reporter. */
  async reset(): Promise<void> {
    this.#ended = true;
    this.#socket.resetAndDestroy();
    await this.closed;
  }

  /** Ends it at once, in whatever state it is; harmless when it is over. */
  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}
