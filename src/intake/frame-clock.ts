/** A timer that comes so late says that the process was stopped, or had no processor. */
const STANDSTILL_MS = 1000;

/**
 * The time that a frame may stay incomplete. It runs only while its socket is read: a pause of ours, or of the whole
 * process, is not the agent's fault.
 */
export class FrameClock {
  /** Milliseconds; asked for anew each time, 0 = no limit. */
  readonly #limitMs: () => number;
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What is left of the present frame's time when the clock does not run; 0 = all of it. */
  #leftMs = 0;
  #beganMs = 0;

  constructor(limitMs: () => number, onOver: () => void) {
    this.#limitMs = limitMs;
    this.#onOver = onOver;
  }

  /** Runs, or goes on, for an incomplete frame. */
  start(): void {
    const limitMs = this.#limitMs();
    if (limitMs === 0 || this.#timer) return;
    if (this.#leftMs === 0) this.#leftMs = limitMs;
    this.#beganMs = performance.now();
    this.#timer = setTimeout(() => this.#over(), this.#leftMs);
  }

  /** Stands still until `start`. */
  hold(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(1, this.#leftMs - (performance.now() - this.#beganMs));
  }

  /** A frame was completed: the next one has all of its time. To be called while it stands still. */
  reset(): void {
    this.#leftMs = 0;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = 0;
  }

  #over(): void {
    const lateMs = performance.now() - this.#beganMs - this.#leftMs;
    if (lateMs <= STANDSTILL_MS) {
      this.#onOver();
      return;
    }
    // The process stood still, and read nothing meanwhile: that time is the agent's.
    this.#timer = undefined;
    this.#leftMs = Math.min(lateMs, this.#limitMs());
    this.start();
  }
}
