/** Who waits, by address: the addresses have their turn one after the other, however many wait of each. */
export class WaitingLine<One> {
  /** The address whose turn is next comes first. */
  readonly #byAddress = new Map<string, Set<One>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  countOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  add(address: string, one: One): void {
    const those = this.#byAddress.get(address);
    if (those) those.add(one);
    else this.#byAddress.set(address, new Set([one]));
    this.#size++;
  }

  /** Whether it waited. */
  remove(address: string, one: One): boolean {
    const those = this.#byAddress.get(address);
    if (!those?.delete(one)) return false;
    this.#size--;
    if (those.size === 0) this.#byAddress.delete(address);
    return true;
  }

  /** Takes who has waited longest of the address whose turn it is, among those that `mayGo`. */
  next(mayGo: (address: string) => boolean): One | undefined {
    for (const [address, those] of this.#byAddress) {
      if (!mayGo(address)) continue;
      const [one] = those;
      this.#byAddress.delete(address);
      those.delete(one!);
      this.#size--;
      if (those.size > 0) this.#byAddress.set(address, those);
      return one;
    }
    return undefined;
  }

  /** Whether anybody waits of an address that `mayGo`. */
  some(mayGo: (address: string) => boolean): boolean {
    for (const address of this.#byAddress.keys()) if (mayGo(address)) return true;
    return false;
  }

  /** The address of which the most wait; undefined when nobody does. */
  longest(): string | undefined {
    let longest: string | undefined;
    let most = 0;
    for (const [address, { size }] of this.#byAddress) {
      if (size <= most) continue;
      most = size;
      longest = address;
    }
    return longest;
  }

  /** Who came last of an address. */
  lastOf(address: string): One | undefined {
    return [...(this.#byAddress.get(address) ?? [])].at(-1);
  }

  *[Symbol.iterator](): Generator<One> {
    for (const those of this.#byAddress.values()) yield* those;
  }
}
