/** What is known of an agent's keys: each of its rounds carries every one of them. */
export interface Course {
  /** Number of the newest round of which a byte may have been sent. */
  sent: number;
  /** Number of the newest round that is known to be journaled, as a whole. */
  journaled: number;
}

/** A round that the reporter has read to its end. */
interface Read {
  readonly caller: number;
  readonly round: number;
  readonly incarnation: number;
}

/**
 * What was sent, and what of it is known to be journaled.
 *
 * An agent that closed its connection in order knows that the reporter has read everything; when the same process
 * says later that nothing it has read waits for the journal, all of that is journaled.
 */
export class History {
  readonly #courses = new Map<number, Course>();
  #read: Read[] = [];

  constructor(callers: Iterable<number>) {
    for (const caller of callers) this.#courses.set(caller, { sent: 0, journaled: 0 });
  }

  get courses(): ReadonlyMap<number, Readonly<Course>> {
    return this.#courses;
  }

  /** The number of an agent's next round, which counts as sent from now on. */
  nextRound(caller: number): number {
    return ++this.#courses.get(caller)!.sent;
  }

  /** The reporter process `incarnation` has read a round, and all before it. */
  wasRead(caller: number, round: number, incarnation: number): void {
    this.#read.push({ caller, round, incarnation });
  }

  /** Whatever process `from` has read is journaled, or process `to` has it. */
  carried(from: number, to: number): void {
    this.#read = this.#read.map((read) => (read.incarnation === from ? { ...read, incarnation: to } : read));
  }

  /** Takes what has been read so far, to be asked about: the answer must not be older than the question. */
  question(): readonly Read[] {
    return [...this.#read];
  }

  /** Since `asked` was taken, nothing that process `incarnation` had read waited for the journal. */
  allJournaled(asked: readonly Read[], incarnation: number): void {
    const settled = new Set(asked.filter((read) => read.incarnation === incarnation));
    for (const { caller, round } of settled) {
      const course = this.#courses.get(caller)!;
      course.journaled = Math.max(course.journaled, round);
    }
    this.#read = this.#read.filter((read) => !settled.has(read));
  }

  /** Agents of which something may not be journaled. */
  get uncertain(): number {
    let count = 0;
    for (const { sent, journaled } of this.#courses.values()) if (journaled < sent) count++;
    return count;
  }
}
