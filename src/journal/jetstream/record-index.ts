import type { Span } from './chain.js';

/** Where the records behind a snapshot are, and how large. */
export class RecordIndex {
  /** By sequence, in order. */
  readonly #records = new Map<number, Span & { readonly bytes: number }>();
  #bytes = 0;

  get count(): number {
    return this.#records.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
  }

  add(sequence: number, { first, position }: Span, bytes: number): void {
    this.#records.set(sequence, { first, position, bytes });
    this.#bytes += bytes;
  }

  get(sequence: number): Span | undefined {
    return this.#records.get(sequence);
  }

  /** Position of the last record up to a sequence; undefined when there is none. */
  lastUpTo(sequence: number): number | undefined {
    let found: number | undefined;
    for (const [one, { position }] of this.#records) {
      if (one > sequence) break;
      found = position;
    }
    return found;
  }

  forgetUpTo(sequence: number): void {
    for (const [one, { bytes }] of this.#records) {
      if (one > sequence) break;
      this.#records.delete(one);
      this.#bytes -= bytes;
    }
  }
}
