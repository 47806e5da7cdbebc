import type { ReporterEvent } from './events.js';

/** Delivers events to the host: in order, in a turn of their own, whatever the host makes of them. */
export class HostEvents {
  readonly #onEvent: (event: ReporterEvent) => unknown;
  #waiting: ReporterEvent[] = [];

  constructor(onEvent: (event: ReporterEvent) => unknown) {
    this.#onEvent = onEvent;
  }

  readonly observe = (event: ReporterEvent): void => {
    this.#waiting.push(event);
    if (this.#waiting.length === 1) setImmediate(() => this.flush());
  };

  /** Delivers what waits now. */
  flush(): void {
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) {
      try {
        const result = this.#onEvent(event);
        // An asynchronous function in the place of a plain one: its rejection would end the process.
        if (result instanceof Promise) result.catch(() => {});
      } catch {
        // The host's failure is the host's.
      }
    }
  }
}
