import type { Socket } from 'node:net';
import { messageOf } from '../model/errors.js';
import { CALLER, TAG, WORDS_PER_ROW } from '../model/row.js';
import type { RowBuffer } from '../model/row-buffer.js';
import type { AddressPause, Traffic } from '../model/traffic.js';
import type { EventSink } from '../observe/events.js';
import type { Counts } from '../partition/counts.js';
import type { Inbox } from '../routing/inbox.js';
import type { Credit } from '../routing/protocol.js';
import { type ActorRef, type ParentRef, spawn, stop, tell } from '../runtime/actors.js';
import { FrameDecoder, FrameError } from '../wire/frame.js';
import { MessageId, type ReportDecoder } from '../wire/messages.js';
import { FrameLost, ResumedDecoder } from '../wire/resumed-decoder.js';
import type { AddressUse } from './address-use.js';
import type { InflightBudget, Reader } from './budget.js';
import { FrameClock } from './frame-clock.js';
import type { FrameLimits } from './frame-limits.js';
import { type Gate, isCallerAt } from './gate.js';
import type { HandlerTable } from './handlers.js';
import { buffered, type ConnectionPast, NO_PAST } from './past.js';
import type { Replies } from './replies.js';
import { endSocket, hintOfTls } from './tls/secured-socket.js';

/** What all connections share. */
export interface ConnectionDomain {
  /** The router's. */
  readonly inbox: Inbox;
  readonly budget: InflightBudget;
  readonly gate: Gate;
  /** Counts rows that are refused. */
  readonly refused: Counts;
  readonly traffic: Traffic;
  readonly events: EventSink;
  readonly handlers: HandlerTable;
  readonly replies: Replies;
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
  readonly #use: AddressUse;
  readonly #peerNumber: () => number;
  /** Undefined until its first row: who sends nothing worth keeping gets no place in the journal. */
  #peerTag: number | undefined;
  readonly #decoder: FrameDecoder | ResumedDecoder;
  readonly #ref: ActorRef<ConnectionMessage>;
  /** Read, and not journaled yet, or still with handlers. */
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
  readonly #clock: FrameClock;

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
    this.#use = domain.gate.entered(peer);
    this.#use.add(this);
    this.#peerNumber = peerNumber;
    this.#decoder = past.isSearching
      ? new ResumedDecoder(domain.limits.maxBodyBytes, (skipped) => this.#found(skipped), past.skippedBytes)
      : new FrameDecoder(domain.limits.maxBodyBytes);
    this.#clock = new FrameClock(
      () => domain.limits.frameTimeoutMs,
      () => {
        const frames = this.#frames;
        // What has come already is read first: timers run before sockets.
        setImmediate(() => tell(this.#ref, { kind: 'expired', frames }));
      },
    );
    this.#badFramesInRow = past.badFrames;
    this.#isTrusted = past.isTrusted;
    this.#ref = spawn<ConnectionMessage>(parent, {
      name,
      receive: (message) => this.#receive(message),
      onCrash: (error, message) => {
        domain.events.emit({ type: 'connection-failed', peer, error });
        // Its decoder stands anywhere: what was read behind this is nobody's frame.
        this.#isLost = true;
        if (message.kind === 'data') this.#discarded(message.chunk.length);
        socket.destroy();
        return 'resume';
      },
    });
    socket.on('data', this.#onData);
    if (past.rest.length > 0) this.#onData(past.rest);
    // A reset says no more than the close that follows it.
    socket.on('error', () => {});
    socket.on('close', () => tell(this.#ref, { kind: 'closed' }));
    if (domain.budget.parked || this.#use.isWaiting) socket.pause();
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
    this.#clock.hold();
  }

  unpark(): void {
    if (this.#unpaidBytes <= WINDOW_BYTES && !this.#domain.budget.parked && !this.#use.isWaiting)
      this.#readOn();
  }

  /** Reads no more; what was read goes its way. */
  close(): void {
    this.#refused = true;
    this.#domain.replies.flush(this.socket);
    endSocket(this.socket);
  }

  /** Ends our side in order, and reads on until the peer has ended its own; what it breaks off then is nobody's loss. */
  leave(): void {
    this.#refused = true;
    this.#domain.replies.flush(this.socket);
    this.socket.end();
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
      peer: this.peer,
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

  /** Nothing of a chunk is kept. */
  #discarded(bytes: number): void {
    this.#domain.budget.journaled(bytes);
    this.#paid(bytes);
  }

  #paid(bytes: number): void {
    this.#unpaidBytes -= bytes;
    if (!this.#closed) {
      this.unpark();
    } else if (this.#unpaidBytes === 0) {
      stop(this.#ref);
    }
  }

  #take(chunk: Buffer): void {
    const domain = this.#domain;
    const { traffic, reports } = domain;
    traffic.bytes += chunk.length;
    if (this.#isLost) {
      this.#discarded(chunk.length);
      return;
    }
    const { rows } = domain;
    rows.release();
    this.#rows = rows;
    this.#clock.hold();
    const framesBefore = this.#frames;
    const reportsBefore = traffic.reports;
    const saturatedBefore = reports.saturated;
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      if (error instanceof FrameError) {
        const hint = this.#frames === 0 ? hintOfTls(chunk) : '';
        this.#reject('length', `${error.message}${hint}; closing the connection`, error.claimedBytes);
      } else if (error instanceof FrameLost) {
        this.#reject('incomplete', `${error.message}; closing it`);
      } else if (!(error instanceof StreamRefused)) {
        throw error;
      }
      // What was good in front of the bad frame is sent on all the same.
      this.#giveUp();
    }
    const pause = this.#use.sent(traffic.reports - reportsBefore, (this.#peerTag ?? 0) >>> 1);
    if (pause) this.#throttled(pause);
    if (this.#frames > framesBefore) this.#clock.reset();
    if (this.#decoder.incompleteBytes > 0 && !this.socket.isPaused()) this.#clock.start();
    traffic.saturated += reports.saturated - saturatedBefore;
    // Not the chunk itself: it would stay in memory as long as its credit is out.
    const bytes = chunk.length;
    // Paid back when its rows are journaled and the host's handlers are done with its frames. All others wait for the
    // rows alone.
    let open = this.#handling.length + 1;
    const done = () => {
      open--;
      if (open === 0) this.#paid(bytes);
    };
    for (const handling of this.#handling) void handling.then(done);
    if (this.#handling.length > 0) this.#handling = [];
    const settled = () => {
      domain.budget.journaled(bytes);
      done();
    };
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
      else this.#handOn(id, Uint8Array.from(bytes.subarray(start, end)));
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
    else if (this.#isForeign(rows, count)) this.#refuseRows(rows, count);
    else if (this.#peerTag === undefined) this.#signRows(rows, rows.length - count);
  };

  /** Whether the last `count` rows, a report's, are of another machine than this peer, and are not to be taken. */
  #isForeign({ words, length }: RowBuffer, count: number): boolean {
    const { gate, traffic, events } = this.#domain;
    const check = gate.checkOf(this.peer);
    if (check === 'off') return false;
    const caller = words[(length - count) * WORDS_PER_ROW + CALLER]!;
    if (isCallerAt(caller, this.peer)) return false;
    traffic.foreignCallers++;
    events.emit({ type: 'caller-foreign', peer: this.peer, caller, isRejected: check === 'reject' });
    return check === 'reject';
  }

  #refuseRows(rows: RowBuffer, count: number): void {
    const { refused, traffic } = this.#domain;
    traffic.foreignRows += count;
    rows.length -= count;
    refused.received += count;
    refused.rejected += count;
  }

  #throttled(why: AddressPause): void {
    const { traffic, events } = this.#domain;
    traffic.throttled[why]++;
    events.emit({ type: 'address-throttled', peer: this.peer, why });
  }

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

  #handOn(id: number, body: Uint8Array): void {
    const { handlers, replies } = this.#domain;
    const handling = handlers.dispatch(replies.frameOf(id, body, this));
    if (handling) this.#handling.push(handling);
  }

  /** Closes it for replies that it does not read. */
  closeUnread(): void {
    this.#domain.events.emit({ type: 'connection-refused', peer: this.peer, reason: 'unread-replies' });
    this.close();
  }

  #readOn(): void {
    if (this.socket.destroyed || !this.socket.isPaused()) return;
    if (this.#decoder.incompleteBytes > 0) this.#clock.start();
    this.socket.resume();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clock.end();
    this.#use.remove(this);
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
    this.close();
  }

  /** `bodyBytes`: as its header claims, where it is known. */
  #reject(reason: 'length' | 'undecodable' | 'incomplete', why: string, bodyBytes?: number): void {
    this.#domain.traffic.framesRejected[reason]++;
    const event = { type: 'frame-rejected', peer: this.peer, reason, why } as const;
    this.#domain.events.emit(bodyBytes === undefined ? event : { ...event, bodyBytes });
  }
}

/** The rest of the stream is not wanted. */
class StreamRefused extends Error {}
