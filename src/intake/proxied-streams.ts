import type { Socket } from 'node:net';
import { messageOf } from '../model/errors.js';
import type { Reader } from './budget.js';
import { FrameClock } from './frame-clock.js';
import { buffered } from './past.js';
import { mayBeProxyHeader, readProxyHeader } from './proxy-header.js';

/** Who takes streams whose header was read. */
export interface ProxiedReceiver {
  /** `address`: of the peer, undefined where the balancer speaks for itself; `rest`: what came behind the header. */
  onHeader(socket: Socket, address: string | undefined, rest: Buffer): void;
  /** No header came; the stream is still open. */
  onRefused(socket: Socket, why: string): void;
}

export interface HeaderPast {
  /** What another process has read of it. */
  readonly rest: Buffer;
  /** It may have read the whole header, and nobody knows. */
  readonly isUncertain: boolean;
}

interface Waiting {
  bytes: Buffer;
  /** Runs only while the socket is read. */
  readonly clock: FrameClock;
  readonly forget: () => void;
}

/** Streams of balancers that have not told yet whom they speak for. */
export class ProxiedStreams implements Reader {
  readonly #receiver: ProxiedReceiver;
  readonly #mayRead: () => boolean;
  readonly #limitMs: () => number;
  /** What came of each so far. */
  readonly #waiting = new Map<Socket, Waiting>();

  /** `mayRead`: whether sockets may be read now; `limitMs`: how long a header may stay incomplete, 0 = for ever. */
  constructor(receiver: ProxiedReceiver, mayRead: () => boolean, limitMs: () => number) {
    this.#receiver = receiver;
    this.#mayRead = mayRead;
    this.#limitMs = limitMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  park(): void {
    for (const [socket, { clock }] of this.#waiting) {
      socket.pause();
      clock.hold();
    }
  }

  unpark(): void {
    for (const [socket, { clock }] of this.#waiting) {
      clock.start();
      socket.resume();
    }
  }

  /** Reads the header of a stream, which is flowing or will be, and then hands it on. */
  read(socket: Socket, { rest, isUncertain }: HeaderPast): void {
    const onData = (chunk: Buffer) => {
      waiting.bytes = waiting.bytes.length === 0 ? chunk : Buffer.concat([waiting.bytes, chunk]);
      this.#look(socket, waiting.bytes, isUncertain);
    };
    const late = () => {
      if (this.#waiting.has(socket))
        this.#refuse(socket, `no PROXY header came within ${this.#limitMs() / 1000} seconds`);
    };
    const clock = new FrameClock(
      this.#limitMs,
      // What has come already is read first: timers run before sockets.
      () => setImmediate(late),
    );
    const onEnd = () => this.#forget(socket);
    const forget = () => {
      clock.end();
      socket.off('data', onData).off('close', onEnd);
    };
    const waiting: Waiting = { bytes: rest, clock, forget };
    this.#waiting.set(socket, waiting);
    socket.on('data', onData).on('close', onEnd);
    // A reset says no more than the close that follows it.
    socket.on('error', () => {});
    if (this.#mayRead()) clock.start();
    else socket.pause();
    if (rest.length > 0) this.#look(socket, rest, isUncertain);
  }

  /** Gives all up for another process, in one turn: closes this one's copies, and tells what came of each so far. */
  *detach(): Generator<readonly [Socket, Buffer]> {
    for (const [socket, { bytes }] of [...this.#waiting]) {
      this.#forget(socket);
      const rest = Buffer.concat([bytes, ...buffered(socket)]);
      socket.destroy();
      yield [socket, rest];
    }
  }

  close(): void {
    for (const [socket] of [...this.#waiting]) socket.destroy();
  }

  #look(socket: Socket, bytes: Buffer, isUncertain: boolean): void {
    let header: ReturnType<typeof readProxyHeader>;
    try {
      header =
        isUncertain && !mayBeProxyHeader(bytes) ? { bytes: 0, address: undefined } : readProxyHeader(bytes);
    } catch (error) {
      this.#refuse(socket, messageOf(error));
      return;
    }
    if (!header) return;
    this.#forget(socket);
    this.#receiver.onHeader(socket, header.address, bytes.subarray(header.bytes));
  }

  #refuse(socket: Socket, why: string): void {
    this.#forget(socket);
    this.#receiver.onRefused(socket, why);
  }

  #forget(socket: Socket): void {
    this.#waiting.get(socket)?.forget();
    this.#waiting.delete(socket);
  }
}
