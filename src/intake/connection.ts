import type { Socket } from 'node:net';
import { messageOf } from '../model/errors.js';
import { TAG, WORDS_PER_ROW } from '../model/row.js';
import type { RowBuffer } from '../model/row-buffer.js';
import type { Traffic } from '../model/traffic.js';
import type { EventSink } from '../observe/events.js';
import type { Inbox } from '../routing/inbox.js';
import type { Credit } from '../routing/protocol.js';
import { type ActorRef, type ParentRef, spawn, stop, tell } from '../runtime/actors.js';
import { encodeFrame, FrameDecoder, FrameError } from '../wire/frame.js';
import { MessageId, type ReportDecoder } from '../wire/messages.js';
import { FrameLost, ResumedDecoder } from '../wire/resumed-decoder.js';
import type { InflightBudget, Reader } from './budget.js';
import type { HandledFrame, HandlerTable } from './handlers.js';
import { buffered, type ConnectionPast, NO_PAST } from './past.js';

/** What a peer may do; from the section `listen` of the configuration. */
export interface FrameLimits {
  readonly maxBodyBytes: number;
  /** Undecodable frames in a row after which a connection is closed. */
  readonly maxBadFrames: number;
  /** How long a frame may stay incomplete while its socket is read, milliseconds; 0 = for ever. */
  readonly frameTimeoutMs: number;
}

/** What all connections share. */
export interface ConnectionDomain {
  /** The router's. */
  readonly inbox: Inbox;
  readonly budget: InflightBudget;
  readonly traffic: Traffic;
  readonly events: EventSink;
  readonly handlers: HandlerTable;
  /** Where the rows of a chunk are decoded into, by one connection at a time: one at rest holds no buffer. */
  readonly rows: RowBuffer;
  readonly reports: ReportDecoder;
  readonly limits: FrameLimits;
  readonly onClosed: (connection: Connection) => void;
  /** A connection has sent its first good frame. */
  readonly onTrusted: (connection: Connection) => void;
}

type ConnectionMessage =
  | { readonly kind: 'data'; readonly chunk: Buffer }
  /** The frame behind the first `frames` ones was incomplete for too long. */
  | { readonly kind: 'expired'; readonly frames: number }
  | { readonly kind: 'closed' };

/**
 * Bytes of one connection that may wait to be journaled while it is read on: one full read of the socket. It keeps
 * the next chunk ready while the last is on its way to disk, and lets small reports come without a pause for each.
 */
const WINDOW_BYTES = 65_536;
/** A timer that comes so late says that the process was stopped, or had no processor. */
const STANDSTILL_MS = 1000;
/** Replies of handlers that may wait for a peer to read them; one that lets more pile up is closed. */
const MAX_REPLY_BYTES = 1_048_576;

/**
 * One agent's connection: bytes → frames → reports → rows for the router.
 *
 * What it has read and what is not journaled yet is bounded; beyond, it reads on only when the journal has caught
 * up. While it waits TCP slows the agent down, which loses nothing.
 */
export class Connection implements Reader {
  readonly #domain: ConnectionDomain;
  readonly socket: Socket;
  /** The agent's address without port. */
  readonly peer: string;
  readonly #peerNumber: () => number;
  /** Undefined until its first row: who sends nothing worth keeping gets no place in the journal. */
  #peerTag: number | undefined;
  readonly #decoder: FrameDecoder | ResumedDecoder;
  readonly #ref: ActorRef<ConnectionMessage>;
  /** Read, and not journaled yet. */
  #unpaidBytes = 0;
  #frames = 0;
  /** What the rows of the present chunk are decoded into. */
  #rows: RowBuffer | undefined;
  /** Handlers that are at work on frames of the present chunk. */
  #handling: Promise<void>[] = [];
  #badFramesInRow: number;
  /** It has sent a good frame. */
  #isTrusted: boolean;
  #closed = false;
  /** We closed it: what its stream still lacks is nobody's loss. */
  #refused = false;
  /** What its stream holds from here on is nobody's frame: chunks that were read before it closed are not looked at. */
  #isLost = false;
  #expiry: NodeJS.Timeout | undefined;
  /** What is left of the present frame's time when reading stops. */
  #expiryLeftMs = 0;
  #expiryBegan = 0;

  /** `peerNumber` gives its number in the journal's peer table; `past`: of one that another process has read before. */
  constructor(
    parent: ParentRef,
    name: string,
    socket: Socket,
    peer: string,
    peerNumber: () => number,
    domain: ConnectionDomain,
    past: ConnectionPast = NO_PAST,
  ) {
    this.#domain = domain;
    this.socket = socket;
    this.peer = peer;
    this.#peerNumber = peerNumber;
    this.#decoder = past.isSearching
      ? new ResumedDecoder(domain.limits.maxBodyBytes, (skipped) => this.#found(skipped), past.skippedBytes)
      : new FrameDecoder(domain.limits.maxBodyBytes);
    this.#badFramesInRow = past.badFrames;
    this.#isTrusted = past.isTrusted;
    this.#ref = spawn<ConnectionMessage>(parent, {
      name,
      receive: (message) => this.#receive(message),
      onCrash: (error, message) => {
        domain.events.emit({ type: 'connection-failed', peer, error });
        // Its decoder stands anywhere: what was read behind this is nobody's frame.
        this.#isLost = true;
        if (message.kind === 'data') this.#paid(message.chunk.length);
        socket.destroy();
        return 'resume';
      },
    });
    socket.on('data', this.#onData);
    if (past.rest.length > 0) this.#onData(past.rest);
    // A reset says no more than the close that follows it.
    socket.on('error', () => {});
    socket.on('close', () => tell(this.#ref, { kind: 'closed' }));
    if (domain.budget.parked) socket.pause();
  }

  /** Decided here, in the turn that reads, and not in the actor: nothing more may be read meanwhile. */
  readonly #onData = (chunk: Buffer): void => {
    this.#unpaidBytes += chunk.length;
    if (this.#unpaidBytes > WINDOW_BYTES) this.park();
    this.#domain.budget.read(chunk.length);
    tell(this.#ref, { kind: 'data', chunk });
  };

  park(): void {
    this.socket.pause();
    this.#holdExpiry();
  }

  unpark(): void {
    if (this.#unpaidBytes <= WINDOW_BYTES) this.#readOn();
  }

  /** Reads no more; what was read goes its way. */
  close(): void {
    this.#refuse();
  }

  /**
   * Gives the stream up for another process, in one turn: closes this one's copy of the socket, and tells what is needed
   * to read on. All that was read must be journaled. Undefined when the connection is over.
   */
  detach(): ConnectionPast | undefined {
    const socket = this.socket;
    if (this.#closed || this.#refused || socket.destroyed) return undefined;
    socket.off('data', this.#onData);
    // Whatever it lacks is nobody's loss.
    this.#refused = true;
    const decoder = this.#decoder;
    const rest = Buffer.concat([decoder.rest(), ...buffered(socket)]);
    socket.destroy();
    const isSearching = decoder instanceof ResumedDecoder && decoder.isSearching;
    return {
      rest,
      isSearching,
      skippedBytes: isSearching ? decoder.skippedBytes : 0,
      isTrusted: this.#isTrusted,
      badFrames: this.#badFramesInRow,
    };
  }

  #receive(message: ConnectionMessage): void {
    switch (message.kind) {
      case 'data':
        this.#take(message.chunk);
        break;
      case 'expired':
        // The rest of it, or the end, may have come while this message was on its way.
        if (this.#isLost || this.#closed || message.frames !== this.#frames) return;
        this.#reject('incomplete', 'a frame stayed incomplete for too long; closing its connection');
        this.#giveUp();
        break;
      case 'closed':
        this.#end();
        break;
    }
  }

  #paid(bytes: number): void {
    const { budget } = this.#domain;
    this.#unpaidBytes -= bytes;
    budget.journaled(bytes);
    if (!this.#closed) {
      if (!budget.parked) this.unpark();
    } else if (this.#unpaidBytes === 0) {
      stop(this.#ref);
    }
  }

  #take(chunk: Buffer): void {
    const domain = this.#domain;
    const { traffic, reports } = domain;
    traffic.bytes += chunk.length;
    if (this.#isLost) {
      this.#paid(chunk.length);
      return;
    }
    const { rows } = domain;
    rows.release();
    this.#rows = rows;
    this.#holdExpiry();
    const framesBefore = this.#frames;
    const saturatedBefore = reports.saturated;
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      if (error instanceof FrameError) {
        this.#reject('length', `${error.message}; closing the connection`, error.claimedBytes);
      } else if (error instanceof FrameLost) {
        this.#reject('incomplete', `${error.message}; closing it`);
      } else if (!(error instanceof StreamRefused)) {
        throw error;
      }
      // What was good in front of the bad frame is sent on all the same.
      this.#giveUp();
    }
    if (this.#frames > framesBefore) this.#expiryLeftMs = 0;
    if (this.#decoder.incompleteBytes > 0 && !this.socket.isPaused()) this.#startExpiry();
    traffic.saturated += reports.saturated - saturatedBefore;
    // Not the chunk itself: it would stay in memory as long as its credit is out.
    const bytes = chunk.length;
    // Paid back when its rows are journaled and the host's handlers are done with its frames.
    let open = this.#handling.length + 1;
    const settled = () => {
      open--;
      if (open === 0) this.#paid(bytes);
    };
    for (const handling of this.#handling) void handling.then(settled);
    if (this.#handling.length > 0) this.#handling = [];
    this.#rows = undefined;
    if (rows.length === 0) {
      settled();
      return;
    }
    // A socket that is not read any more, by its own window or the budget of all.
    const isAwaited = this.#unpaidBytes > WINDOW_BYTES || domain.budget.parked;
    const credit: Credit = { outstanding: 0, isAwaited, settled };
    domain.inbox.offer(rows.rows(), credit);
  }

  /** A property, not a method, so that a chunk costs no closure. */
  readonly #onFrame = (id: number, bytes: Uint8Array, start: number, end: number): void => {
    const { traffic, reports, handlers, limits } = this.#domain;
    const rows = this.#rows!;
    traffic.frames++;
    this.#frames++;
    if (id !== MessageId.reportStatusRequest) {
      if (!handlers.has(id)) traffic.framesRejected['unknown-id']++;
      else this.#handOn(this.#handedOn(id, Uint8Array.from(bytes.subarray(start, end))));
      return;
    }
    let count: number;
    try {
      count = reports.decode(bytes, start, end, rows, this.#peerTag ?? 0);
    } catch (error) {
      const why = `a frame does not hold the report it claims (${messageOf(error)}); dropping it`;
      this.#reject('undecodable', why, end - start);
      this.#badFramesInRow++;
      if (this.#badFramesInRow < limits.maxBadFrames) return;
      this.#domain.events.emit({ type: 'connection-refused', peer: this.peer, reason: 'bad-frames' });
      throw new StreamRefused();
    }
    this.#badFramesInRow = 0;
    if (!this.#isTrusted) this.#trust();
    traffic.reports++;
    if (count === 0) traffic.emptyReports++;
    else if (this.#peerTag === undefined) this.#signRows(rows, rows.length - count);
  };

  #trust(): void {
    this.#isTrusted = true;
    this.#domain.onTrusted(this);
  }

  /** The next frame was found in a stream that is read on in its middle. */
  #found(skippedBytes: number): void {
    const { traffic } = this.#domain;
    if (skippedBytes === 0) return;
    traffic.resumedInFrame++;
    traffic.skippedBytes += skippedBytes;
  }

  /** Numbers the peer, and marks its first rows, `from` on, with that. */
  #signRows({ words, length }: RowBuffer, from: number): void {
    this.#peerTag = this.#peerNumber() << 1;
    for (let index = from; index < length; index++) words[index * WORDS_PER_ROW + TAG]! |= this.#peerTag;
  }

  #handOn(frame: HandledFrame): void {
    const handling = this.#domain.handlers.dispatch(frame);
    if (handling) this.#handling.push(handling);
  }

  /** A frame for the host's handlers, whose reply goes out on this connection as long as it lasts. */
  #handedOn(id: number, body: Uint8Array): HandledFrame {
    const socket = this.socket;
    const reply = (replyId: number, replyBody: Uint8Array) => {
      // A write behind our end would break off what is still on its way.
      if (!socket.writable) return;
      socket.write(encodeFrame(replyId, replyBody));
      if (socket.writableLength <= MAX_REPLY_BYTES) return;
      this.#domain.events.emit({ type: 'connection-refused', peer: this.peer, reason: 'unread-replies' });
      this.#refuse();
    };
    return { id, body, peer: `${this.peer}:${socket.remotePort ?? 0}`, reply };
  }

  #readOn(): void {
    if (this.socket.destroyed || !this.socket.isPaused()) return;
    if (this.#decoder.incompleteBytes > 0) this.#startExpiry();
    this.socket.resume();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropExpiry();
    if (this.#decoder.incompleteBytes > 0 && !this.#refused) {
      this.#reject('incomplete', 'a connection ended in the middle of a frame');
    }
    this.#domain.onClosed(this);
    // Credit for its last chunks may still come: the budget needs it, so the actor ends with it.
    if (this.#unpaidBytes === 0) stop(this.#ref);
  }

  /** Follows the stream no further. */
  #giveUp(): void {
    this.#isLost = true;
    this.#refuse();
  }

  #refuse(): void {
    this.#refused = true;
    this.socket.destroy();
  }

  /** `bodyBytes`: as its header claims, where it is known. */
  #reject(reason: 'length' | 'undecodable' | 'incomplete', why: string, bodyBytes?: number): void {
    this.#domain.traffic.framesRejected[reason]++;
    const event = { type: 'frame-rejected', peer: this.peer, reason, why } as const;
    this.#domain.events.emit(bodyBytes === undefined ? event : { ...event, bodyBytes });
  }

  #startExpiry(): void {
    const { frameTimeoutMs } = this.#domain.limits;
    if (frameTimeoutMs === 0 || this.#expiry) return;
    if (this.#expiryLeftMs === 0) this.#expiryLeftMs = frameTimeoutMs;
    this.#expiryBegan = performance.now();
    const frames = this.#frames;
    this.#expiry = setTimeout(() => this.#expire(frames), this.#expiryLeftMs);
  }

  #expire(frames: number): void {
    const lateMs = performance.now() - this.#expiryBegan - this.#expiryLeftMs;
    if (lateMs > STANDSTILL_MS) {
      // The process stood still, and read nothing meanwhile: that time is the agent's.
      this.#expiry = undefined;
      this.#expiryLeftMs = Math.min(lateMs, this.#domain.limits.frameTimeoutMs);
      this.#startExpiry();
      return;
    }
    // What has come already is read first: timers run before sockets.
    setImmediate(() => tell(this.#ref, { kind: 'expired', frames }));
  }

  /** Reading stops through no fault of the agent's: so does its clock. */
  #holdExpiry(): void {
    if (!this.#expiry) return;
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    this.#expiryLeftMs = Math.max(1, this.#expiryLeftMs - (performance.now() - this.#expiryBegan));
  }

  #dropExpiry(): void {
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    this.#expiryLeftMs = 0;
  }
}

/** The rest of the stream is not wanted. */
class StreamRefused extends Error {}
