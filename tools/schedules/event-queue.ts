/** What is to happen, by time; what is to happen at one time, in the order in which it was put. */
export class EventQueue<T> {
  readonly #heap: { readonly at: number; readonly order: number; readonly event: T }[] = [];
  #puts = 0;

  get size(): number {
    return this.#heap.length;
  }

  put(at: number, event: T): void {
    const heap = this.#heap;
    const one = { at, order: this.#puts++, event };
    let index = heap.length;
    heap.push(one);
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!isBefore(one, heap[above]!)) break;
      heap[index] = heap[above]!;
      index = above;
    }
    heap[index] = one;
  }

  take(): { readonly at: number; readonly event: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[index] = heap[below]!;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

interface Place {
  readonly at: number;
  readonly order: number;
}

function isBefore(one: Place, other: Place): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
