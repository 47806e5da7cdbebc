import { Readable } from 'node:stream';

/** What a reader has not taken yet is held up to here; one that lets more stand is dropped. */
const MAX_HELD_BYTES = 1_048_576;

/** How long a browser waits before it asks again, milliseconds. */
const RETRY_MS = 2000;

/** One event as it goes over the wire. `data`: JSON on one line. Without an id, a browser keeps the last one. */
export function eventFrame(event: string, data: string, id: number | undefined): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/** The body of GET /api/events for one reader. */
export class EventStream extends Readable {
  #hello: ((tick: number | null) => string) | undefined;

  /** `hello`: what is said first, as soon as the tick is known. */
  constructor(hello: (tick: number | null) => string) {
    super();
    this.#hello = hello;
    // Sends the head of the answer at once.
    this.push(`retry: ${RETRY_MS}\n\n`);
  }

  override _read(): void {
    // Events come when they come.
  }

  /** Says hello, unless that was said. */
  begin(tick: number | null): void {
    const hello = this.#hello?.(tick);
    this.#hello = undefined;
    if (hello !== undefined) this.send(hello);
  }

  /** Whether hello was said. */
  get hasBegun(): boolean {
    return this.#hello === undefined;
  }

  send(frame: string): void {
    if (this.destroyed || this.readableEnded) return;
    if (this.readableLength > MAX_HELD_BYTES) this.destroy();
    else this.push(frame);
  }

  /** Ends it after everything that was sent. */
  finish(frame: string): void {
    this.send(frame);
    if (!this.destroyed) this.push(null);
  }
}
