import { errorOf, ReporterError } from '../model/errors.js';
import type { Traffic } from '../model/traffic.js';
import type { EventSink } from '../observe/events.js';
import { type ActorRef, isReference, type NactRef, tell } from '../runtime/actors.js';
import { MessageId } from '../wire/messages.js';
import {
  FunctionLoad,
  HANDLER_LIMITS,
  type HandlerLimits,
  type HandlerLoad,
  MailboxLoad,
} from './handler-load.js';

/** A frame that is not the reporter's own, as handlers get it. */
export interface HandledFrame {
  /** Message id of the frame header. */
  readonly id: number;
  /** The body; the handler's own copy. */
  readonly body: Uint8Array;
  /** `address:port` it came from. */
  readonly peer: string;
  /**
   * Sends a frame on that connection, at any time, any number of them; does nothing when it has closed meanwhile. A
   * peer that leaves more than 1 MiB of replies unread is closed; so is the one that leaves most, when all peers together
   * leave more than 64 MiB. All replies of a turn are one write, which counts with 256 bytes more. Throws FrameError when the body is longer than 65527 bytes.
   */
  readonly reply: (id: number, body: Uint8Array) => void;
}

/**
 * Takes frames of one message id: a function, or an actor that the same object is dispatched to.
 *
 * A function may return a promise. Until it settles, the connection is read on for 64 KiB at most, so that a peer is
 * slowed down to what the handler manages; after 5 s the connection no longer waits for it. 65,536 frames and 64 MiB of
 * bodies may be with one handler; further ones are dropped. What it throws or rejects with, and what is dropped, is
 * counted (`frames_rejected_total{reason="handler"}`) and told (`handler-failed`), and has no other effect.
 */
export type FrameHandler = ((frame: HandledFrame) => void | Promise<void>) | ActorRef<HandledFrame> | NactRef;

/** Message id → handler. */
export type Handlers = Readonly<Record<number, FrameHandler>>;

interface Handling {
  readonly handler: ((frame: HandledFrame) => unknown) | ActorRef<HandledFrame>;
  readonly load: HandlerLoad;
  /** When it was last told that it is slow, and that frames are dropped. */
  readonly toldMs: { slow: number; dropped: number };
}

/** How often that is told of one handler, milliseconds. */
const TELL_EVERY_MS = 1000;

/** Made once: a flood would make many. */
const BEHIND = new Error('the handler has not finished those before: frames are dropped, and counted');

/** The host's handlers, whose failures stay theirs: counted, logged, and of no effect on the connection. */
export class HandlerTable {
  readonly #handlers = new Map<number, Handling>();
  readonly #traffic: Traffic;
  readonly #events: EventSink;
  readonly #limits: HandlerLimits;

  /** Throws ReporterError CONFIG_INVALID for ids that are no int32, and for the reporter's own. */
  constructor(handlers: Handlers, traffic: Traffic, events: EventSink, limits = HANDLER_LIMITS) {
    this.#traffic = traffic;
    this.#events = events;
    this.#limits = limits;
    for (const [key, handler] of Object.entries(handlers)) {
      const id = Number(key);
      if (!Number.isInteger(id) || id !== (id | 0) || id === MessageId.reportStatusRequest) {
        throw new ReporterError(
          'CONFIG_INVALID',
          `handlers: ${key} cannot be handled: give int32 message ids other than ${MessageId.reportStatusRequest}, which the reporter handles itself`,
        );
      }
      if (typeof handler !== 'function' && !isReference(handler)) {
        throw new ReporterError(
          'CONFIG_INVALID',
          `handlers: what is given for ${key} is neither a function nor a reference to an actor`,
        );
      }
      const load =
        typeof handler === 'function' ? new FunctionLoad(limits) : new MailboxLoad(handler, limits);
      const never = Number.NEGATIVE_INFINITY;
      this.#handlers.set(id, { handler, load, toldMs: { slow: never, dropped: never } });
    }
  }

  has(id: number): boolean {
    return this.#handlers.has(id);
  }

  /**
   * Hands a frame to its handler. Resolves when the handler is done with it, well or not, or has taken too long;
   * undefined: at once.
   */
  dispatch(frame: HandledFrame): Promise<void> | undefined {
    const handling = this.#handlers.get(frame.id)!;
    const { handler, load } = handling;
    const bytes = frame.body.length;
    if (!load.add(bytes)) {
      this.#dropped(frame, handling);
      return undefined;
    }
    try {
      if (typeof handler !== 'function') {
        if (!tell(handler, frame)) throw new Error('the handling actor has stopped');
        return undefined;
      }
      const result: unknown = handler(frame);
      if (isPromise(result)) return this.#finished(frame, result, handling);
    } catch (error) {
      this.#failed(frame, error);
    }
    load.remove(bytes);
    return undefined;
  }

  #finished(frame: HandledFrame, result: PromiseLike<unknown>, handling: Handling): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#tellSlow(frame, handling);
        resolve();
      }, this.#limits.waitMs).unref();
      const end = () => {
        clearTimeout(timer);
        handling.load.remove(frame.body.length);
        resolve();
      };
      // What only resembles a promise may throw, or tell twice that it is done.
      Promise.resolve(result).then(end, (error: unknown) => {
        this.#failed(frame, error);
        end();
      });
    });
  }

  #tellSlow({ peer, id }: HandledFrame, handling: Handling): void {
    if (!isDue(handling, 'slow')) return;
    this.#events.emit({ type: 'handler-slow', peer: addressOf(peer), id, afterMs: this.#limits.waitMs });
  }

  #dropped({ peer, id }: HandledFrame, handling: Handling): void {
    this.#traffic.framesRejected.handler++;
    if (!isDue(handling, 'dropped')) return;
    this.#events.emit({ type: 'handler-failed', peer: addressOf(peer), id, error: BEHIND });
  }

  #failed({ peer, id }: HandledFrame, error: unknown): void {
    this.#traffic.framesRejected.handler++;
    this.#events.emit({ type: 'handler-failed', peer: addressOf(peer), id, error: errorOf(error) });
  }
}

/** Whether something is to be told of a handler again. */
function isDue({ toldMs }: Handling, what: 'slow' | 'dropped'): boolean {
  const nowMs = performance.now();
  if (nowMs - toldMs[what] < TELL_EVERY_MS) return false;
  toldMs[what] = nowMs;
  return true;
}

/** Without its port: a peer that comes again from another one is the same. */
const addressOf = (peer: string) => peer.slice(0, peer.lastIndexOf(':'));

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
