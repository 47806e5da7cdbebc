import { ReporterError } from '../../model/errors.js';
import { appendIf } from './conditional.js';
import type { Place } from './log-place.js';
import type { Ownership } from './ownership.js';
import { decodeSections, encodeSections, jsonBytes, jsonOf } from './sections.js';

/** Where a partition's replay starts, and what of it is in quarantine. */
export interface HeadRecord {
  /** Records up to this sequence are covered by the snapshot; they end at this position of the log. */
  readonly sequence: number;
  readonly position: number;
  /** Last batch that the snapshot covers. */
  readonly batchId: number;
  /** The snapshot's dead letters are those after the entry at this position. */
  readonly lettersAt: number;
  /** Where the pieces are; undefined when there are none. */
  readonly snapshot?: SnapshotPlace | undefined;
  /** Positions behind the snapshot of records in quarantine, and of messages before which some are missing. */
  readonly skipped: readonly number[];
  /** Numbers of pieces in quarantine. */
  readonly damaged: readonly number[];
  /** What came into quarantine so far, and when it did last; epoch ms. */
  readonly quarantined: number;
  readonly quarantinedAt: number;
}

export interface SnapshotPlace {
  /** Who wrote the pieces, and the number that they carry: those of one that was given up stand between them. */
  readonly incarnation: string;
  readonly id: number;
  readonly pieces: number;
  /** Positions of the first and of the last part. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

export const NO_HEAD: HeadRecord = {
  ...{ sequence: 0, position: 0, batchId: 0, lettersAt: 0 },
  ...{ skipped: [], damaged: [], quarantined: 0, quarantinedAt: 0 },
};

/** The head that is published. Rejects with ReporterError JOURNAL_CORRUPT when it is damaged. */
export async function readHead({ link, attempts, subjects, partition }: Place) {
  const found = await attempts.read(() => link.last(subjects.stream, subjects.head));
  if (!found) return { revision: 0, head: NO_HEAD };
  try {
    return { revision: found.position, head: jsonOf<HeadRecord>(decodeSections(found.body)[0]!) };
  } catch (error) {
    throw new ReporterError('JOURNAL_CORRUPT', `the head of partition ${partition} is damaged`, {
      cause: error,
    });
  }
}

/** The head of a partition, as its owner publishes it: each one under the condition that it follows the last. */
export class Head {
  readonly #place: Place;
  readonly #ownership: Ownership;
  #head = NO_HEAD;
  #revision = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: Place, ownership: Ownership) {
    this.#place = place;
    this.#ownership = ownership;
  }

  /** As it was published last. */
  get value(): HeadRecord {
    return this.#head;
  }

  /**
   * Publishes the same head again, in the epoch that has begun. From then on an earlier owner publishes no snapshot, and
   * so purges nothing of the log that this one reads.
   */
  async claim(): Promise<HeadRecord> {
    return await this.#inTurn(async () => {
      for (;;) {
        this.#ownership.require();
        const { revision, head } = await readHead(this.#place);
        const outcome = await this.#publish(revision, head);
        if (outcome.kind === 'appended') return head;
      }
    });
  }

  /** Publishes another one. Resolves to false when it was given up before that. Rejects when the partition was lost. */
  async change(to: (head: HeadRecord) => HeadRecord, isStale?: () => boolean): Promise<boolean> {
    return await this.#inTurn(async () => {
      this.#ownership.require();
      if (isStale?.()) return false;
      const previous = this.#revision;
      const outcome = await this.#publish(previous, to(this.#head), isStale);
      if (outcome.kind === 'refused') throw this.#ownership.lose(previous, outcome.by);
      return outcome.kind === 'appended';
    });
  }

  async #publish(previous: number, head: HeadRecord, isStale?: () => boolean) {
    const { subjects, sender } = this.#place;
    const { epoch } = this.#ownership;
    const label = sender.label('head', { sequence: head.sequence, epoch, previous });
    const body = encodeSections(jsonBytes(head));
    const outcome = await appendIf(this.#place, subjects.head, label, body, isStale);
    if (outcome.kind === 'appended') {
      this.#head = head;
      this.#revision = outcome.position;
    }
    return outcome;
  }

  /** Position of its message. */
  get revision(): number {
    return this.#revision;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
