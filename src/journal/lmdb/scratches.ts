/** Holds the largest batch and the keys that go with it. */
const SCRATCH_BYTES = 1_048_576;
/** Records are on their way to the disk together; those of further partitions have memory of their own. */
const MAX_SCRATCHES = 4;

/** Memory that records are encoded in, used again, and shared by all partitions. */
export class Scratches {
  readonly #free: ArrayBuffer[] = [];
  #made = 0;

  /** Memory for a record of so many bytes, to be given back; undefined when there is none to be had. */
  take(bytes: number): ArrayBuffer | undefined {
    if (bytes > SCRATCH_BYTES) return undefined;
    const free = this.#free.pop();
    if (free || this.#made === MAX_SCRATCHES) return free;
    this.#made++;
    return new ArrayBuffer(SCRATCH_BYTES);
  }

  /** The record is on disk. */
  give(scratch: ArrayBuffer | undefined): void {
    if (scratch) this.#free.push(scratch);
  }
}
