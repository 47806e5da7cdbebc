import type { Downward, Upward } from './channel.js';

/** How long the steps may take. */
export interface HandOverLimits {
  /** A successor that is not prepared by then is given up. */
  readonly prepareMs: number;
  /** Who reads has so long to let go; its own bounds are shorter. Then the successor is given up, and at last the old one. */
  readonly letGoMs: number;
  /** A successor has so long to open the journal and to read; a replay of tens of millions of keys is shorter. */
  readonly takeMs: number;
}

const LIMITS: HandOverLimits = { prepareMs: 60_000, letGoMs: 120_000, takeMs: 300_000 };

/** A child, as far as a hand-over has to do with it. See `KeptChild`. */
export interface HandOverSide {
  readonly hasEnded: boolean;
  readonly why: string;
  isReading: boolean;
  tell(message: Downward): void;
  kill(): void;
  startCopies(): void;
  stopCopies(): void;
  resumeCopies(): void;
  whenSent(callback: () => void): void;
}

export interface HandOverEvents<Side> {
  /** The successor is prepared, and who reads is told to let go. */
  readonly onPrepared: () => void;
  /** It is over; `reader` reads now. */
  readonly onDone: (reader: Side) => void;
  /** Why the successor does not take over. */
  readonly onFailed: (why: string) => void;
  /** Nobody is left who could go on. */
  readonly onLost: () => void;
}

/**
 * One hand-over, from the start of a successor to the end of one of the two.
 *
 *     preparing ──▶ letting go ──▶ taking ──▶ done
 *         │              │           └▶ taking back ──▶ done, the old one reads
 *         └──────────────┴▶ failed: the old one has never let go
 *
 * - preparing: the successor reads its configuration, reaches the store, and gets a copy of each connection, unread.
 * - letting go: the old one reads no more, journals what it has read, closes the journal and gives what it knows.
 * - taking: the successor opens the journal and reads on.
 * - taking back: it has ended before it read anything, and the old one goes on with what it gave.
 */
export class HandOver<Side extends HandOverSide> {
  readonly next: Side;
  readonly #old: Side;
  readonly #events: HandOverEvents<Side>;
  readonly #limits: HandOverLimits;
  #phase: 'preparing' | 'letting-go' | 'taking' | 'taking-back' | 'over' = 'preparing';
  #timer: NodeJS.Timeout;
  /** Why the successor has ended while the old one was letting go. */
  #whyEnded: string | undefined;

  constructor(old: Side, next: Side, events: HandOverEvents<Side>, limits = LIMITS) {
    this.#old = old;
    this.next = next;
    this.#events = events;
    this.#limits = limits;
    const { prepareMs } = limits;
    const late = `the new process was not prepared within ${prepareMs / 1000} s`;
    this.#timer = setTimeout(() => this.#fail(late), prepareMs);
  }

  hear(child: Side, message: Upward): void {
    const { next } = this;
    switch (message.kind) {
      case 'prepared':
        if (child === next && this.#phase === 'preparing') next.whenSent(() => this.#letGo());
        break;
      case 'state':
        if (child !== this.#old) break;
        if (this.#whyEnded === undefined) next.tell(message);
        else this.#old.tell({ kind: 'taken' });
        break;
      case 'taken':
        if (child === next) this.#old.tell(message);
        break;
      case 'gone':
        if (child !== this.#old || this.#phase !== 'letting-go') break;
        this.#phase = 'taking';
        clearTimeout(this.#timer);
        this.#old.isReading = false;
        // One that stands still has read nothing: the old one goes on when it is gone.
        this.#timer = setTimeout(() => next.kill(), this.#limits.takeMs);
        if (this.#whyEnded === undefined) next.tell({ kind: 'take-over' });
        else this.#takeBack(this.#whyEnded);
        break;
    }
  }

  /** Connections are over, `child` says: the other one's copies, too. */
  over(child: Side, ids: readonly number[]): void {
    const other = child === this.next ? this.#old : this.next;
    other.tell({ kind: 'over', ids });
  }

  /** A child tells why it cannot. */
  failed(child: Side, why: string): void {
    if (child === this.#old && this.#phase === 'letting-go') this.#fail(why);
  }

  /** `child` reads: there is no way back. */
  reads(child: Side): void {
    if (this.#phase === 'taking' && child === this.next) {
      this.#close();
      this.#old.tell({ kind: 'end' });
      this.#events.onDone(child);
    } else if (this.#phase === 'taking-back' && child === this.#old) {
      this.#close();
      this.#events.onDone(child);
    }
  }

  /** A child has ended. False when that is no matter of the hand-over. */
  ended(child: Side): boolean {
    if (this.#phase === 'over') return false;
    if (child === this.next) {
      const why = child.why || 'the new process has ended; the log says why';
      if (this.#phase === 'taking') this.#takeBack(why);
      else if (this.#phase === 'letting-go') this.#lostNext(why);
      else if (this.#phase === 'preparing') this.#fail(why);
      return true;
    }
    if (child !== this.#old) return false;
    if (this.#phase === 'taking') {
      // It had given everything before.
      return true;
    }
    // What it had read in the middle of a frame is lost: the successor cannot know where it stood.
    this.#close();
    this.next.kill();
    this.#events.onLost();
    return true;
  }

  /** The reporter is to stop: a successor that only prepares is not waited for. */
  abandon(): void {
    if (this.#phase === 'preparing') this.#fail('the reporter stops');
  }

  #letGo(): void {
    if (this.#phase !== 'preparing') return;
    this.#phase = 'letting-go';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#hurry(), this.#limits.letGoMs);
    this.#events.onPrepared();
    // Connections that come from now on are for the successor alone.
    this.#old.stopCopies();
    this.#old.tell({ kind: 'let-go' });
  }

  /** Letting go takes too long. The old one may wait for a successor that stands still; if not, it does so itself. */
  #hurry(): void {
    this.#timer = setTimeout(() => this.#old.kill(), this.#limits.letGoMs);
    if (!this.next.hasEnded) this.next.kill();
  }

  /** The old one may have let go of everything by now, and will tell; what it gave last is not answered any more. */
  #lostNext(why: string): void {
    this.#whyEnded = why;
    this.#old.tell({ kind: 'taken' });
  }

  #takeBack(why: string): void {
    clearTimeout(this.#timer);
    this.#phase = 'taking-back';
    this.#events.onFailed(why);
    if (this.#old.hasEnded) {
      this.#close();
      this.#events.onLost();
      return;
    }
    this.#old.startCopies();
    this.#old.whenSent(() => this.#old.tell({ kind: 'take-over' }));
  }

  /** The old one goes on as if nothing had been. */
  #fail(why: string): void {
    this.#close();
    this.next.kill();
    this.#events.onFailed(why);
    this.#old.resumeCopies();
    this.#events.onDone(this.#old);
  }

  #close(): void {
    this.#phase = 'over';
    clearTimeout(this.#timer);
  }
}
