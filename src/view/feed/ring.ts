/**
 * A queue in shared memory, with one thread that writes and one that reads: no message and no allocation an entry.
 *
 *     control: HEAD, TAIL (words written, words read; they wrap around 2^32), BEAT
 *     words:   … [ kind, words, tag, second, content … ] [ kind, … ]
 *
 * Entries lie in one piece: where one does not fit before the end, a GAP leads back to the beginning.
 */
export interface SharedRing {
  readonly control: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
}

const CONTROL_WORDS = 16;
const HEAD = 0;
const TAIL = 1;
const BEAT = 2;
/** Words of an entry's head; entries are padded to a multiple of it, so that a GAP always fits. */
const HEAD_WORDS = 4;
const KIND = 0;
const LENGTH = 1;
const TAG = 2;
const SECOND = 3;
const GAP = 0;

/** `words`: a power of two. */
export function sharedRing(words: number): SharedRing {
  return {
    control: new SharedArrayBuffer(CONTROL_WORDS * 4),
    words: new SharedArrayBuffer(words * 4),
  };
}

function padded(length: number): number {
  return HEAD_WORDS + Math.ceil(length / HEAD_WORDS) * HEAD_WORDS;
}

/** The end that writes. */
export class RingWriter {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  #head = 0;

  constructor({ control, words }: SharedRing) {
    this.#control = new Int32Array(control);
    this.#words = new Int32Array(words);
  }

  /** Copies an entry in; false, and nothing is changed, when there is no room. `kind` is above 0. */
  write(kind: number, tag: number, second: number, content: ArrayLike<number>): boolean {
    const words = this.#words;
    const size = words.length;
    const length = padded(content.length);
    let at = this.#head & (size - 1);
    const gap = at + length > size ? size - at : 0;
    if (length + gap > size - this.#used()) return false;
    if (gap > 0) {
      words[at + KIND] = GAP;
      words[at + LENGTH] = gap;
      at = 0;
    }
    words[at + KIND] = kind;
    words[at + LENGTH] = content.length;
    words[at + TAG] = tag;
    words[at + SECOND] = second;
    words.set(content, at + HEAD_WORDS);
    this.#head = (this.#head + gap + length) | 0;
    Atomics.store(this.#control, HEAD, this.#head);
    return true;
  }

  /** Words written up to now, wrapped: for `hasRead`. */
  get head(): number {
    return this.#head;
  }

  /** Whether all that was written up to `head` has been read. */
  hasRead(head: number): boolean {
    return ((Atomics.load(this.#control, TAIL) - head) | 0) >= 0;
  }

  /** The `second` of the oldest entry that is not read; undefined when all is. */
  oldestSecond(): number | undefined {
    const tail = Atomics.load(this.#control, TAIL);
    if (tail === this.#head) return undefined;
    // A GAP has none, and is followed by an entry at the beginning.
    const at = tail & (this.#words.length - 1);
    return this.#words[(this.#words[at + KIND] === GAP ? 0 : at) + SECOND];
  }

  /** Changes as long as the reader lives. */
  get beat(): number {
    return Atomics.load(this.#control, BEAT);
  }

  #used(): number {
    return (this.#head - Atomics.load(this.#control, TAIL)) | 0;
  }
}

/** Takes an entry; `content` is valid during the call. */
export type TakeEntry = (kind: number, tag: number, content: Int32Array) => void;

/** The end that reads. */
export class RingReader {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  #tail = 0;

  constructor({ control, words }: SharedRing) {
    this.#control = new Int32Array(control);
    this.#words = new Int32Array(words);
  }

  /** Hands over what is there, but not much more than `maxWords`. False when that left something. */
  read(take: TakeEntry, maxWords = Number.POSITIVE_INFINITY): boolean {
    const words = this.#words;
    const mask = words.length - 1;
    let taken = 0;
    while (this.#tail !== Atomics.load(this.#control, HEAD)) {
      if (taken >= maxWords) return false;
      const at = this.#tail & mask;
      const length = words[at + LENGTH]!;
      if (words[at + KIND] === GAP) this.#done(length);
      else {
        const from = at + HEAD_WORDS;
        take(words[at + KIND]!, words[at + TAG]!, words.subarray(from, from + length));
        this.#done(padded(length));
        taken += length;
      }
    }
    return true;
  }

  /** The `second` of the oldest entry; undefined when there is none. */
  oldestSecond(): number | undefined {
    if (this.#tail === Atomics.load(this.#control, HEAD)) return undefined;
    const at = this.#tail & (this.#words.length - 1);
    return this.#words[(this.#words[at + KIND] === GAP ? 0 : at) + SECOND];
  }

  /** Says that the reader lives. */
  beat(): void {
    Atomics.add(this.#control, BEAT, 1);
  }

  #done(words: number): void {
    this.#tail = (this.#tail + words) | 0;
    Atomics.store(this.#control, TAIL, this.#tail);
  }
}
