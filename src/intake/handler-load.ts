import { type ActorRef, waitingMessages } from '../runtime/actors.js';

/** How much of what peers send may be with one handler of the host. */
export interface HandlerLimits {
  /** Frames that it has not finished; further ones are dropped and counted. */
  readonly maxFrames: number;
  /** Bytes of their bodies. */
  readonly maxBytes: number;
  /** A connection waits so long for it, milliseconds; then it is read on. */
  readonly waitMs: number;
}

export const HANDLER_LIMITS: HandlerLimits = {
  maxFrames: 65_536,
  maxBytes: 67_108_864,
  waitMs: 5000,
};

/** What is with one handler, and whether it may have more. */
export interface HandlerLoad {
  /** Takes one more frame into account; false when there is no room for it. */
  add(bytes: number): boolean;
  /** A frame is done with. */
  remove(bytes: number): void;
}

/** Of a function, which tells when it is done. */
export class FunctionLoad implements HandlerLoad {
  readonly #limits: HandlerLimits;
  #frames = 0;
  #bytes = 0;

  constructor(limits: HandlerLimits) {
    this.#limits = limits;
  }

  get frames(): number {
    return this.#frames;
  }

  add(bytes: number): boolean {
    const { maxFrames, maxBytes } = this.#limits;
    if (this.#frames >= maxFrames || this.#bytes + bytes > maxBytes) return false;
    this.#frames++;
    this.#bytes += bytes;
    return true;
  }

  remove(bytes: number): void {
    this.#frames--;
    this.#bytes -= bytes;
  }
}

/** Its sizes are moved to the front when so many of them have been dealt with. */
const COMPACT_AT = 4096;

/** Of an actor, whose mailbox tells how many it has not begun: they are taken in the order in which they came. */
export class MailboxLoad implements HandlerLoad {
  readonly #ref: ActorRef<never>;
  readonly #load: FunctionLoad;
  /** Of those that were given to it, the oldest first; those before `#first` are done with. */
  #sizes: number[] = [];
  #first = 0;

  constructor(ref: ActorRef<never>, limits: HandlerLimits) {
    this.#ref = ref;
    this.#load = new FunctionLoad(limits);
  }

  add(bytes: number): boolean {
    this.#settle();
    if (!this.#load.add(bytes)) return false;
    this.#sizes.push(bytes);
    return true;
  }

  remove(): void {
    this.#settle();
  }

  /** What the host's own actors send it only makes this see too many. */
  #settle(): void {
    const waiting = waitingMessages(this.#ref) ?? 0;
    while (this.#load.frames > waiting) this.#load.remove(this.#sizes[this.#first++]!);
    if (this.#first < COMPACT_AT) return;
    this.#sizes = this.#sizes.slice(this.#first);
    this.#first = 0;
  }
}
