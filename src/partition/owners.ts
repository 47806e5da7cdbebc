/** Slots whose owner nobody counts. */
const NOBODY = 0;

/**
 * Who the pending values are of: how many keys each peer's newest values hold. Peers by their numbers in the journal;
 * number 0, unknown, is not counted.
 */
export class Owners {
  /** By slot: the peer whose value is pending there. */
  #of = new Int32Array(0);
  /** By peer: how many. */
  #counts = new Int32Array(64);

  /** Keys that are pending with a value of this peer. */
  count(peer: number): number {
    return this.#counts[peer] ?? 0;
  }

  /** The pending value in a slot is this peer's. */
  hold(slot: number, peer: number): void {
    const before = this.#of[slot]!;
    if (before === peer) return;
    if (before !== NOBODY) this.#counts[before]!--;
    this.#of[slot] = peer;
    if (peer === NOBODY) return;
    if (peer >= this.#counts.length) this.#counts = grown(this.#counts, 2 * peer);
    this.#counts[peer]!++;
  }

  /** Nothing is pending in a slot any more. */
  free(slot: number): void {
    this.hold(slot, NOBODY);
  }

  /** Room for so many slots; those that are cut off hold nothing. */
  resize(capacity: number): void {
    this.#of = grown(this.#of, capacity);
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from.subarray(0, length));
  return to;
}
