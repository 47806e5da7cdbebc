import { ReporterError } from '../../model/errors.js';
import type { Stored } from './label.js';
import type { Place } from './log-place.js';
import type { Reading } from './nats-link.js';

/** Messages that are asked for one by one before a consumer is tried: most logs are short. */
const ONE_BY_ONE = 64;
/** A consumer that is silent for so long may be gone with its server. */
const SILENCE_MS = 2000;

/** Which messages are read. */
export interface Range {
  readonly subject: string;
  /**
   * Of this subject a message is behind `to`; the same as `subject` unless given. With it, or with one at `to`, the range
   * ends: a server that shows neither is behind.
   */
  readonly fence?: string;
  readonly from: number;
  readonly to: number;
}

/**
 * The messages of a range, in order. Few are asked for one by one, many are read by a consumer. A consumer that cannot be
 * made, or falls silent, holds up nothing: after a server has gone, new ones are placed on it for minutes.
 */
export async function* readRange(place: Place, range: Range): AsyncGenerator<Stored> {
  let next = range.from;
  while (next <= range.to) {
    for await (const message of oneByOne(place, range, next)) {
      next = message.position + 1;
      if (message.position > range.to) return;
      yield message;
    }
    if (next > range.to) return;
    for await (const message of consumed(place, range, next)) {
      next = message.position + 1;
      if (message.position > range.to) return;
      if (message.label.kind !== 'head') yield message;
    }
  }
}

/** Some messages; the last one may be behind the range. */
async function* oneByOne(place: Place, { subject, fence, to }: Range, from: number): AsyncGenerator<Stored> {
  const { link, attempts, subjects } = place;
  const ask = async (next: number): Promise<Stored> => {
    const found = await link.next(subjects.stream, subject, next);
    if (found) return found;
    const last = await link.last(subjects.stream, fence ?? subject);
    if (last && last.position > to) return last;
    throw new Error(`the server that leads ${subjects.stream} does not show all that is there`);
  };
  let next = from;
  for (let count = 0; count < ONE_BY_ONE && next <= to; count++) {
    const message = await attempts.read(() => ask(next));
    yield message;
    next = message.position + 1;
  }
}

/** Messages as long as they come. */
async function* consumed(place: Place, { subject, fence }: Range, from: number): AsyncGenerator<Stored> {
  const { link, attempts, subjects, sender } = place;
  const names = fence === undefined ? [subject] : [subject, fence];
  let reading: Reading | undefined;
  try {
    reading = await link.consume(subjects.stream, names, from, sender.consumerName());
    for await (const message of untilSilent(reading)) {
      attempts.requireOpen();
      yield message;
    }
  } catch (error) {
    attempts.requireOpen();
    if (error instanceof ReporterError) throw error;
  } finally {
    reading?.end();
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
