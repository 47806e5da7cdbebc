import { ReporterError } from '../../model/errors.js';
import type { Stored } from './label.js';

/** Whether a partition belongs to this process: from the entry of its epoch on, until one of its appends is refused. */
export class Ownership {
  readonly #partition: number;
  #epoch = 0;
  #loss: ReporterError | undefined;

  constructor(partition: number) {
    this.#partition = partition;
    this.#loss = unusable(`partition ${partition} was not replayed: nobody knows whom it belongs to`);
  }

  /** 0 before the first one. */
  get epoch(): number {
    return this.#epoch;
  }

  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#loss = undefined;
  }

  /** Throws ReporterError JOURNAL_UNUSABLE when it does not, or not any more. */
  require(): void {
    if (this.#loss) throw this.#loss;
  }

  /** An append of this owner was refused. Gives what to throw. */
  lose(expected: number, by: Stored | undefined): ReporterError {
    if (by && by.position > expected) {
      const { node, incarnation, epoch } = by.label;
      this.#loss = unusable(
        `partition ${this.#partition} belongs to node ${node} (${incarnation}) now, since epoch ${epoch}; here it was ${this.#epoch}`,
      );
    } else {
      this.#loss = unusable(
        `partition ${this.#partition} ends at ${by?.position ?? 0}, and ${expected} was confirmed: the servers have lost, ` +
          'or somebody has removed, what was journaled; start again to go on with what is left',
      );
    }
    return this.#loss;
  }
}

const unusable = (message: string) => new ReporterError('JOURNAL_UNUSABLE', message);
