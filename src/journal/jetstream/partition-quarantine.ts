import type { Place } from './log-place.js';
import { partsOf } from './log-place.js';
import type { Ownership } from './ownership.js';
import type { Head, HeadRecord } from './partition-head.js';
import { encodeSections, jsonBytes } from './sections.js';

/**
 * The quarantine of one partition. What comes there is kept on a subject that is never purged, and the head says that it
 * is to be passed over: nobody but the owner can say that.
 */
export class PartitionQuarantine {
  readonly #place: Place;
  readonly #ownership: Ownership;
  readonly #head: Head;

  constructor(place: Place, ownership: Ownership, head: Head) {
    this.#place = place;
    this.#ownership = ownership;
    this.#head = head;
  }

  /** A record that is damaged, or that crashes its writer. */
  async record(position: number, sequence: number, bytes: Uint8Array, error: Error): Promise<void> {
    await this.#keep(sequence, { position }, bytes, error);
    // Its writer may have crashed on what was left of it, too.
    const skipped = (head: HeadRecord) => [...new Set([...head.skipped, position])];
    await this.#note(sequence, error, (head) => ({ ...head, skipped: skipped(head) }));
  }

  /** A piece that is damaged, or missing. */
  async piece(number: number, sequence: number, bytes: Uint8Array | undefined, error: Error): Promise<void> {
    if (bytes) await this.#keep(sequence, { piece: number }, bytes, error);
    await this.#note(sequence, error, (head) => ({ ...head, damaged: [...head.damaged, number] }));
  }

  /** Messages are missing before a position: there is nothing to keep. */
  async missing(position: number, sequence: number, error: Error): Promise<void> {
    if (this.#head.value.skipped.includes(position)) return;
    await this.#note(sequence, error, (head) => ({ ...head, skipped: [...head.skipped, position] }));
  }

  async #keep(sequence: number, what: object, bytes: Uint8Array, error: Error): Promise<void> {
    const { link, attempts, subjects, sender } = this.#place;
    const about = { at: Date.now(), sequence, error: error.message, ...what };
    const parts = partsOf(this.#place, encodeSections(jsonBytes(about), bytes));
    const { epoch } = this.#ownership;
    const whole = sender.label('kept', { sequence, epoch, parts: parts.length });
    for (const [part, some] of parts.entries())
      await attempts.write(() => link.publish(subjects.kept, { ...whole, part }, some));
  }

  async #note(sequence: number, error: Error, change: (head: HeadRecord) => HeadRecord): Promise<void> {
    await this.#head.change((head) => ({
      ...change(head),
      quarantined: head.quarantined + 1,
      quarantinedAt: Date.now(),
    }));
    const { events, partition } = this.#place;
    events.emit({ type: 'quarantined', partition, sequence, error });
  }
}
