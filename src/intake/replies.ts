import type { Socket } from 'node:net';
import { encodeFrame } from '../wire/frame.js';
import type { HandledFrame } from './handlers.js';

/** How much of what handlers reply may wait for peers to read it. */
export interface ReplyLimits {
  /** Bytes on one connection, with what writes take beside them; it is closed when there are more. */
  readonly maxBytes: number;
  /** Bytes on all connections; the connection that has most of them is closed when there are more. */
  readonly maxTotalBytes: number;
}

export const REPLY_LIMITS: ReplyLimits = { maxBytes: 1_048_576, maxTotalBytes: 67_108_864 };

/** The connection that a frame came from. */
export interface Asker {
  readonly socket: Socket;
  /** Its address without port. */
  readonly peer: string;
  /** Closes it, because it does not read its replies. */
  closeUnread(): void;
}

interface Unread {
  bytes: number;
  readonly asker: Asker;
  /** Of this turn, and not written yet. */
  frames: Uint8Array[];
}

/** What a write takes in memory beside its bytes, about. A peer that asks for many short replies leaves many. */
const WRITE_BYTES = 256;

/** Replies of handlers that peers have not read yet, over all connections. */
export class Replies {
  readonly #limits: ReplyLimits;
  readonly #unread = new Map<Socket, Unread>();
  #totalBytes = 0;

  constructor(limits: ReplyLimits = REPLY_LIMITS) {
    this.#limits = limits;
  }

  /** Bytes that wait. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** A frame for a handler, whose replies go out on its connection as long as that lasts. */
  frameOf(id: number, body: Uint8Array, asker: Asker): HandledFrame {
    return {
      id,
      body,
      peer: `${asker.peer}:${asker.socket.remotePort ?? 0}`,
      reply: (replyId, replyBody) => this.send(asker, encodeFrame(replyId, replyBody)),
    };
  }

  send(asker: Asker, frame: Uint8Array): void {
    const { socket } = asker;
    // A write behind our end would break off what is still on its way.
    if (!socket.writable) return;
    const unread = this.#unread.get(socket) ?? { bytes: 0, asker, frames: [] };
    this.#unread.set(socket, unread);
    if (unread.frames.length === 0) {
      // Those of a turn go out together: a chunk of requests is answered by one write.
      queueMicrotask(() => this.flush(socket));
      this.#count(unread, WRITE_BYTES);
    }
    unread.frames.push(frame);
    this.#count(unread, frame.length);
    if (unread.bytes > this.#limits.maxBytes) this.#close(socket, unread);
    else if (this.#totalBytes > this.#limits.maxTotalBytes) this.#closeLargest();
  }

  /** Writes what waits for the end of the turn: the connection may end before. */
  flush(socket: Socket): void {
    const unread = this.#unread.get(socket);
    if (!unread || unread.frames.length === 0) return;
    const bytes = Buffer.concat(unread.frames);
    unread.frames = [];
    const sent = () => this.#sent(socket, unread, bytes.length + WRITE_BYTES);
    // Called once it is with the system, and also when the connection ends before.
    if (socket.writable) socket.write(bytes, sent);
    else sent();
  }

  #count(unread: Unread, bytes: number): void {
    unread.bytes += bytes;
    this.#totalBytes += bytes;
  }

  #sent(socket: Socket, unread: Unread, bytes: number): void {
    // What it had was given back when it was closed.
    if (this.#unread.get(socket) !== unread) return;
    this.#count(unread, -bytes);
    if (unread.bytes === 0) this.#unread.delete(socket);
  }

  #closeLargest(): void {
    let largest: [Socket, Unread] | undefined;
    for (const entry of this.#unread) if (!largest || entry[1].bytes > largest[1].bytes) largest = entry;
    if (largest) this.#close(...largest);
  }

  #close(socket: Socket, unread: Unread): void {
    this.#unread.delete(socket);
    this.#totalBytes -= unread.bytes;
    unread.asker.closeUnread();
  }
}
