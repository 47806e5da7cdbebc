import { setImmediate as nextTurn } from 'node:timers/promises';

const MAX_TURN_MS = 10;

/** Gives the event loop a turn when the present one has lasted long enough. */
export class Turn {
  #began = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#began < MAX_TURN_MS) return;
    await nextTurn();
    this.#began = performance.now();
  }
}
