import { ReporterError } from '../../model/errors.js';
import { appendIf } from './conditional.js';
import type { Label } from './label.js';
import { type Place, partsOf } from './log-place.js';
import type { Ownership } from './ownership.js';

const NOTHING = new Uint8Array(0);

/** Positions of the first and of the last part of something. */
export interface Span {
  readonly first: number;
  readonly position: number;
}

/**
 * The end of a partition's log. Each message is appended under the condition that nothing was since the one before, so
 * that nobody else can append from the moment on when an epoch has begun.
 *
 * The log is never purged empty. The last position of an empty subject is 0 again, and an earlier owner that once
 * expected 0 could append.
 */
export class Chain {
  readonly #place: Place;
  readonly #ownership: Ownership;
  #last = 0;
  /** What was appended last, done or not. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: Place, ownership: Ownership) {
    this.#place = place;
    this.#ownership = ownership;
  }

  /** Takes the partition from whoever had it. Gives the position of the new epoch's entry: the log is read up to it. */
  async begin(): Promise<number> {
    const { link, attempts, subjects, sender } = this.#place;
    for (;;) {
      const last = await attempts.read(() => link.last(subjects.stream, subjects.log));
      const epoch = Math.max(last?.label.epoch ?? 0, this.#ownership.epoch) + 1;
      const label = sender.label('epoch', { epoch, previous: last?.position ?? 0 });
      const outcome = await appendIf(this.#place, subjects.log, label, NOTHING);
      // Something was appended in between: by the owner, or by one who takes it, too.
      if (outcome.kind !== 'appended') continue;
      this.#ownership.begin(epoch);
      this.#last = outcome.position;
      return outcome.position;
    }
  }

  /**
   * Appends one thing, in parts if need be: it is there when its last part is. Each has its turn when the one before is
   * done: only then `encode` is called, and `appended` before the next one.
   */
  append(
    kind: Label['kind'],
    sequence: number,
    encode: () => Uint8Array,
    appended: (span: Span, bytes: number) => void,
  ): Promise<void> {
    const done = this.#turn.then(async () => {
      const body = encode();
      appended(await this.#append(kind, sequence, body), body.length);
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #append(kind: Label['kind'], sequence: number, body: Uint8Array): Promise<Span> {
    this.#place.attempts.requireOpen();
    const { subjects, sender } = this.#place;
    const parts = partsOf(this.#place, body);
    const { epoch } = this.#ownership;
    let first: number | undefined;
    const whole = sender.label(kind, { sequence, epoch, parts: parts.length });
    for (const [part, bytes] of parts.entries()) {
      this.#ownership.require();
      if (epoch !== this.#ownership.epoch) throw outOfTurn();
      const previous = this.#last;
      const outcome = await appendIf(this.#place, subjects.log, { ...whole, part, previous }, bytes);
      if (epoch !== this.#ownership.epoch) throw outOfTurn();
      if (outcome.kind === 'refused') throw this.#ownership.lose(previous, outcome.by);
      if (outcome.kind === 'appended') this.#last = outcome.position;
      first ??= this.#last;
    }
    return { first: first!, position: this.#last };
  }
}

function outOfTurn(): ReporterError {
  return new ReporterError('JOURNAL_UNUSABLE', 'the partition was replayed while an entry was on its way');
}
