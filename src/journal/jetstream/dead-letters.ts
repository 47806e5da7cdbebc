import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DeadLetter, type DeadLetterFilter, isMeant } from '../../model/dead-letter.js';
import { compareKeys, RowBatch, TAG, unpackRow, WORDS_PER_KEY } from '../../model/row.js';
import type { DeadLetters, StoredDeadLetter } from '../contract.js';
import type { Settling } from './entry.js';
import type { LocalPeers } from './local-peers.js';

/** Dead letters that are read before others run. */
const READ_AT_ONCE = 200;

/** The dead letters of one partition, all in memory: what its log and its snapshot come to. */
export class PartitionLetters {
  readonly #peers: LocalPeers;
  readonly #letters = new Map<string, StoredDeadLetter>();
  #position = 0;

  constructor(peers: LocalPeers) {
    this.#peers = peers;
  }

  get size(): number {
    return this.#letters.size;
  }

  /** Of the last entry that has settled. */
  get position(): number {
    return this.#position;
  }

  /** A replay begins: those of its snapshot come next. */
  reset(position: number): void {
    this.#letters.clear();
    this.#position = position;
  }

  restore(letters: readonly DeadLetter[]): void {
    for (const deadLetter of letters) {
      const { words } = RowBatch.from([deadLetter.row]);
      words[TAG]! |= this.#peers.number(deadLetter.peer) << 1;
      this.#letters.set(nameOf(words, 0), { deadLetter, words });
    }
  }

  /** The entry at a position is durable. */
  settle(position: number, { at, refusals, released }: Settling): void {
    this.#position = position;
    for (const key of released) this.#letters.delete(nameOf(key, 0));
    for (const { words, code, message } of refusals) {
      const name = nameOf(words, 0);
      const before = this.#letters.get(name)?.deadLetter;
      const deadLetter = {
        row: unpackRow(words, 0),
        peer: this.#peers.address(words[TAG]! >>> 1),
        ...{ code, message },
        firstAt: before?.firstAt ?? at,
        lastAt: at,
        count: (before?.count ?? 0) + 1,
      };
      this.#letters.set(name, { deadLetter, words: words.slice() });
    }
  }

  /** Whether the key whose packed words begin at `words[at]` has one. */
  has(words: Int32Array, at: number): boolean {
    return this.#letters.size > 0 && this.#letters.has(nameOf(words, at));
  }

  get(key: Int32Array): StoredDeadLetter | undefined {
    const found = this.#letters.get(nameOf(key, 0));
    return found && { deadLetter: found.deadLetter, words: found.words.slice() };
  }

  /** All of them, as they are now. */
  all(): StoredDeadLetter[] {
    return [...this.#letters.values()];
  }
}

/** Those of all partitions. */
export class AllLetters implements DeadLetters {
  readonly #partitions: () => Iterable<PartitionLetters>;
  readonly #requireOpen: () => void;

  constructor(partitions: () => Iterable<PartitionLetters>, requireOpen: () => void) {
    this.#partitions = partitions;
    this.#requireOpen = requireOpen;
  }

  get size(): number {
    let size = 0;
    for (const letters of this.#partitions()) size += letters.size;
    return size;
  }

  async *read(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
    this.#requireOpen();
    const found: { of: PartitionLetters; words: Int32Array }[] = [];
    for (const of of this.#partitions())
      for (const { deadLetter, words } of of.all())
        if (isMeant(deadLetter, filter)) found.push({ of, words });
    found.sort((a, b) => compareKeys(a.words, 0, b.words, 0));
    for (let at = 0; at < found.length; at += READ_AT_ONCE) {
      this.#requireOpen();
      const some = found
        .slice(at, at + READ_AT_ONCE)
        .flatMap(({ of, words }) => of.get(words)?.deadLetter ?? []);
      const meant = some.filter((deadLetter) => isMeant(deadLetter, filter));
      if (meant.length > 0) yield meant;
      await nextTurn();
    }
  }
}

function nameOf(words: Int32Array, at: number): string {
  return words.subarray(at, at + WORDS_PER_KEY).join();
}
