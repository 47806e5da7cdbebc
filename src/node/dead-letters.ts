import type { Journal } from '../journal/contract.js';
import {
  type DeadLetterDesk,
  DeadLetterError,
  type DeadLetterFilter,
  type DeadLetterOutcome,
  type DeadLetterPage,
  NOTHING_DONE,
} from '../model/dead-letter.js';
import { pageOfDeadLetters, settleEach } from '../partition/dead-letters.js';
import { askWriter } from '../writer/ask.js';
import type { Foundation } from './foundation.js';
import type { Lane } from './start-writers.js';

/** Where operators ask for the dead letters of a running reporter. */
export class DeadLetterCounter implements DeadLetterDesk {
  readonly #foundation: Pick<Foundation, 'events' | 'status'>;
  #open: { readonly journal: Journal; readonly lanes: readonly Lane[] } | undefined;

  constructor(foundation: Pick<Foundation, 'events' | 'status'>) {
    this.#foundation = foundation;
  }

  /** Whether there is anybody to ask: the writers run. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  open(journal: Journal, lanes: readonly Lane[]): void {
    this.#open = { journal, lanes };
  }

  list(filter: DeadLetterFilter, offset: number, limit: number): Promise<DeadLetterPage> {
    return pageOfDeadLetters(this.#opened().journal.deadLetters, filter, offset, limit);
  }

  async settle(action: 'replay' | 'drop', filter: DeadLetterFilter): Promise<DeadLetterOutcome> {
    const { journal, lanes } = this.#opened();
    const { events, status } = this.#foundation;
    if (status.state !== 'running')
      throw new DeadLetterError(`the reporter is ${status.state}`, NOTHING_DONE);
    const outcome = await settleEach(journal.deadLetters, filter, lanes.length, (partition, keys) =>
      askWriter(lanes[partition]!.writer.ref, partition, { action, keys, filter }),
    );
    events.emit({ type: 'dead-letters-settled', action, filter, outcome });
    return outcome;
  }

  #opened() {
    if (!this.#open) throw new DeadLetterError('the reporter is starting', NOTHING_DONE);
    return this.#open;
  }
}
