import type { FaultSpec } from '../schedule.js';

/** Something that goes wrong for a while. */
export interface Fault extends FaultSpec {
  /** Everything it decides by chance, it decides with `random`. Resolves when the fault is in force. */
  begin(random: () => number): Promise<void>;
  /** Resolves when it is over. */
  end(): Promise<void>;
}

/** One of a list. */
export function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)]!;
}

/** Does something again and again until it is told to stop. */
export class Repeated {
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  /** `action` says how many milliseconds to wait for the next time; what it throws is let go. */
  start(action: () => Promise<number>): void {
    this.#stopped = false;
    this.#running = this.#run(action);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(action: () => Promise<number>): Promise<void> {
    while (!this.#stopped) {
      const pauseMs = await action().catch(() => 50);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
