import { setTimeout as sleep } from 'node:timers/promises';
import { ReporterError } from '../../model/errors.js';
import type { Stored } from './label.js';
import type { Reading } from './link.js';
import type { Place } from './place.js';

/** A consumer that is silent for so long is made anew: it may be gone with its server. */
const SILENCE_MS = 3000;
const RETRY_MS = 100;

/** Which messages are read. */
export interface Range {
  readonly subjects: readonly string[];
  readonly from: number;
  /** A message at or behind this position is there for certain: with it the range ends. */
  readonly to: number;
}

/** The messages of a range, in order. A server that goes meanwhile holds it up, and nothing else. */
export async function* readRange(place: Place, { subjects, from, to }: Range): AsyncGenerator<Stored> {
  const { link, attempts } = place;
  let next = from;
  let replicas = 1;
  while (next <= to) {
    const reading = await attempts.read(() => {
      const tried = replicas;
      replicas = place.replicas;
      return link.read(place.subjects.stream, subjects, next, tried);
    });
    try {
      for await (const message of untilSilent(reading)) {
        attempts.requireOpen();
        if (message.position < next) continue;
        if (message.position <= to) yield message;
        next = message.position + 1;
        if (message.position >= to) return;
      }
    } catch (error) {
      attempts.requireOpen();
      if (error instanceof ReporterError) throw error;
    } finally {
      reading.end();
    }
    await sleep(RETRY_MS);
  }
}

/** Ends when nothing came for some time. What its user takes for a message does not count. */
async function* untilSilent(reading: Reading): AsyncGenerator<Stored> {
  const messages = reading[Symbol.asyncIterator]();
  for (;;) {
    const silence = setTimeout(() => reading.end(), SILENCE_MS);
    const { done, value } = await messages.next().finally(() => clearTimeout(silence));
    if (done) return;
    yield value;
  }
}

/** Something that was stored, put together. */
export interface Whole extends Pick<Stored, 'label' | 'body'> {
  /** Of its first part, and of its last one. */
  readonly first: number;
  readonly position: number;
}

/** Puts parts together that follow each other. What is not there whole was never complete. */
export class Assembly {
  #parts: Stored[] = [];

  /** The whole, with its last part. */
  add(message: Stored): Whole | undefined {
    const { label } = message;
    const before = this.#parts.at(-1)?.label;
    const follows = label.part === 0 || (before?.id === label.id && before.incarnation === label.incarnation);
    if (!follows || label.part === 0) this.#parts = [];
    if (!follows || label.part !== this.#parts.length) return undefined;
    this.#parts.push(message);
    if (this.#parts.length < label.parts) return undefined;
    const [first] = this.#parts;
    const body = label.parts === 1 ? message.body : Buffer.concat(this.#parts.map((part) => part.body));
    this.#parts = [];
    return { label, body, first: first!.position, position: message.position };
  }
}
