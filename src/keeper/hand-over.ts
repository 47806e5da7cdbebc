import type { Upward } from './channel.js';
import type { KeptChild } from './kept-child.js';

/** A successor that is not prepared by then is given up. */
const PREPARE_MS = 60_000;
/** Who reads has so long to let go; its own bounds are shorter. */
const LET_GO_MS = 120_000;

export interface HandOverEvents {
  /** It is over; `reader` reads now. */
  readonly onDone: (reader: KeptChild) => void;
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
export class HandOver {
  readonly next: KeptChild;
  readonly #old: KeptChild;
  readonly #events: HandOverEvents;
  #phase: 'preparing' | 'letting-go' | 'taking' | 'taking-back' | 'over' = 'preparing';
  #timer: NodeJS.Timeout;
  /** Why the successor has ended while the old one was letting go. */
  #whyEnded: string | undefined;

  constructor(old: KeptChild, next: KeptChild, events: HandOverEvents) {
    this.#old = old;
    this.next = next;
    this.#events = events;
    this.#timer = setTimeout(
      () => this.#fail(`the new process was not prepared within ${PREPARE_MS / 1000} s`),
      PREPARE_MS,
    );
  }

  hear(child: KeptChild, message: Upward): void {
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
        if (this.#whyEnded === undefined) next.tell({ kind: 'take-over' });
        else this.#takeBack(this.#whyEnded);
        break;
    }
  }

  /** Connections are over, `child` says: the other one's copies, too. */
  over(child: KeptChild, ids: readonly number[]): void {
    const other = child === this.next ? this.#old : this.next;
    other.tell({ kind: 'over', ids });
  }

  /** A child tells why it cannot. */
  failed(child: KeptChild, why: string): void {
    if (child === this.#old && this.#phase === 'letting-go') this.#fail(why);
  }

  /** `child` reads: there is no way back. */
  reads(child: KeptChild): void {
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
  ended(child: KeptChild): boolean {
    if (this.#phase === 'over') return false;
    if (child === this.next) {
      const why = child.why || 'the new process has ended; the log says why';
      if (this.#phase === 'taking') this.#takeBack(why);
      // The old one may have let go of everything by now, and will tell.
      else if (this.#phase === 'letting-go') this.#whyEnded = why;
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
    this.#timer = setTimeout(() => this.#old.kill(), LET_GO_MS);
    // Connections that come from now on are for the successor alone.
    this.#old.stopCopies();
    this.#old.tell({ kind: 'let-go' });
  }

  #takeBack(why: string): void {
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
