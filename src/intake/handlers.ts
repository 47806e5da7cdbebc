import { errorOf, ReporterError } from '../model/errors.js';
import type { Traffic } from '../model/traffic.js';
import type { EventSink } from '../observe/events.js';
import { type ActorRef, tell } from '../runtime/actors.js';
import { MessageId } from '../wire/messages.js';

/** A frame that is not the reporter's own, as handlers get it. */
export interface HandledFrame {
  /** Message id of the frame header. */
  readonly id: number;
  /** The body; the handler's own copy. */
  readonly body: Uint8Array;
  /** `address:port` it came from. */
  readonly peer: string;
  /**
   * Sends a frame on that connection; does nothing when it has closed meanwhile. A peer that leaves more than 1 MiB of
   * replies unread is closed. Throws FrameError when the body is too long.
   */
  readonly reply: (id: number, body: Uint8Array) => void;
}

/** Takes frames of one message id: a function, or an actor that the same object is dispatched to. */
export type FrameHandler = ((frame: HandledFrame) => void | Promise<void>) | ActorRef<HandledFrame>;

/** Message id → handler. */
export type Handlers = Readonly<Record<number, FrameHandler>>;

/** The host's handlers, whose failures stay theirs: counted, said, and of no effect on the connection. */
export class HandlerTable {
  readonly #handlers = new Map<number, FrameHandler>();
  readonly #traffic: Traffic;
  readonly #events: EventSink;

  /** Throws ReporterError CONFIG_INVALID for ids that are no int32, and for the reporter's own. */
  constructor(handlers: Handlers, traffic: Traffic, events: EventSink) {
    this.#traffic = traffic;
    this.#events = events;
    for (const [key, handler] of Object.entries(handlers)) {
      const id = Number(key);
      if (!Number.isInteger(id) || id !== (id | 0) || id === MessageId.reportStatusRequest) {
        throw new ReporterError(
          'CONFIG_INVALID',
          `handlers: ${key} cannot be handled: give int32 message ids other than ${MessageId.reportStatusRequest}, which the reporter handles itself`,
        );
      }
      if (typeof handler !== 'function' && typeof handler?.system?.name !== 'string') {
        throw new ReporterError(
          'CONFIG_INVALID',
          `handlers: what is given for ${key} is neither a function nor a reference to an actor`,
        );
      }
      this.#handlers.set(id, handler);
    }
  }

  has(id: number): boolean {
    return this.#handlers.has(id);
  }

  /** Hands a frame to its handler. Resolves when the handler is done with it, well or not; undefined: at once. */
  dispatch(frame: HandledFrame): Promise<void> | undefined {
    const handler = this.#handlers.get(frame.id);
    try {
      if (typeof handler !== 'function') {
        if (handler && !tell(handler, frame)) throw new Error('the handling actor has stopped');
        return undefined;
      }
      const handling = handler(frame);
      if (!(handling instanceof Promise)) return undefined;
      return handling.catch((error: unknown) => this.#failed(frame, error));
    } catch (error) {
      this.#failed(frame, error);
      return undefined;
    }
  }

  #failed(frame: HandledFrame, error: unknown): void {
    this.#traffic.framesRejected.handler++;
    // By its address: a peer that comes again from another port is the same one.
    const peer = frame.peer.slice(0, frame.peer.lastIndexOf(':'));
    this.#events.emit({ type: 'handler-failed', peer, id: frame.id, error: errorOf(error) });
  }
}
