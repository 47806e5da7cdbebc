/** How many keys wait since which second: tells the oldest without looking at every key. */
export class Ages {
  readonly #keys = new Map<number, number>();
  /** Undefined: to be looked for. */
  #oldest: number | undefined;

  /** `keys` keys wait since epoch second `since`, as int32 or uint32. */
  add(since: number, keys: number): void {
    if (keys === 0) return;
    const second = since >>> 0;
    this.#keys.set(second, (this.#keys.get(second) ?? 0) + keys);
    if (this.#oldest !== undefined && second < this.#oldest) this.#oldest = second;
  }

  /** One key that waited since then does so no longer. */
  remove(since: number): void {
    const second = since >>> 0;
    const keys = this.#keys.get(second)! - 1;
    if (keys > 0) {
      this.#keys.set(second, keys);
      return;
    }
    this.#keys.delete(second);
    if (second === this.#oldest) this.#oldest = undefined;
  }

  /** Epoch second since which the oldest key waits; undefined when none does. Linear in the seconds, after a change. */
  get oldest(): number | undefined {
    if (this.#oldest !== undefined || this.#keys.size === 0) return this.#oldest;
    let oldest = Number.POSITIVE_INFINITY;
    for (const second of this.#keys.keys()) if (second < oldest) oldest = second;
    this.#oldest = oldest;
    return oldest;
  }
}
