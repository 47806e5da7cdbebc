import type { Tally } from './kept-records.js';

/** How two values of one field come to one. */
type Merging = 'sum' | 'max';
type Width = 1 | 2 | 4;

/** What a tally is made of: words of the key, int32, and fields, unsigned. */
export interface Layout {
  readonly keyWords: number;
  readonly fields: readonly { readonly bytes: Width; readonly merging: Merging }[];
  /** Bytes of a packed tally. */
  readonly bytes: number;
}

/**
 * Bytes of a block, at most. What is longer than half a page lies on pages of its own, and those are to be neighbours:
 * a value that fits one page never has to look for a place.
 */
const BLOCK_BYTES = 4_072;

function layout(keyWords: number, ...fields: readonly (readonly [Width, Merging])[]): Layout {
  const bytes = 4 * keyWords + fields.reduce((sum, [width]) => sum + width, 0);
  return { keyWords, fields: fields.map(([width, merging]) => ({ bytes: width, merging })), bytes };
}

const SUM = [4, 'sum'] as const;
const MAX = [2, 'max'] as const;

/** modid, cmdid; calls, errors; hosts, overloaded ones, callers, those that avoid a host, those that get none; level. */
export const SERVICES = layout(2, SUM, SUM, MAX, MAX, MAX, MAX, MAX, [1, 'max']);
/** Places in a tally of a service. */
export const OF_SERVICE = {
  ...{ calls: 2, errors: 3, hosts: 4, overloaded: 5, callers: 6, hot: 7, blackedOut: 8, level: 9 },
} as const;

/** modid, cmdid, ip, port; calls, errors; callers that hold it for overloaded, callers. */
export const HOSTS = layout(4, SUM, SUM, MAX, MAX);
/** Places in a tally of a host. */
export const OF_HOST = { calls: 4, errors: 5, hot: 6, callers: 7 } as const;

function mostOf(width: Width): number {
  return width === 4 ? 0xffff_ffff : width === 2 ? 0xffff : 0xff;
}

/** Packs tallies that are in order of their keys into blocks, in that order. Values that do not fit are saturated. */
export function toBlocks(kind: Layout, tallies: readonly Tally[]): { first: Tally; bytes: Buffer }[] {
  const blocks: { first: Tally; bytes: Buffer }[] = [];
  const most = Math.floor(BLOCK_BYTES / kind.bytes);
  for (let from = 0; from < tallies.length; from += most) {
    const part = tallies.slice(from, from + most);
    // A piece of memory of its own: lmdb reads it later.
    const bytes = Buffer.allocUnsafeSlow(part.length * kind.bytes);
    for (const [index, tally] of part.entries()) write(kind, bytes, index * kind.bytes, tally);
    blocks.push({ first: part[0]!.slice(0, kind.keyWords), bytes });
  }
  return blocks;
}

function write({ keyWords, fields }: Layout, bytes: Buffer, at: number, tally: Tally): void {
  let offset = at;
  for (let word = 0; word < keyWords; word++) offset = bytes.writeInt32BE(tally[word]!, offset);
  for (const [index, { bytes: width }] of fields.entries()) {
    const value = Math.min(tally[keyWords + index]!, mostOf(width));
    if (width === 4) offset = bytes.writeUInt32BE(value, offset);
    else if (width === 2) offset = bytes.writeUInt16BE(value, offset);
    else offset = bytes.writeUInt8(value, offset);
  }
}

/** The tallies of a block. */
export function fromBlock(kind: Layout, bytes: Buffer): Tally[] {
  const count = Math.floor(bytes.length / kind.bytes);
  return Array.from({ length: count }, (_, index) => read(kind, bytes, index * kind.bytes));
}

function read({ keyWords, fields }: Layout, bytes: Buffer, at: number): Tally {
  const tally: number[] = [];
  let offset = at;
  for (let word = 0; word < keyWords; word++, offset += 4) tally.push(bytes.readInt32BE(offset));
  for (const { bytes: width } of fields) {
    if (width === 4) tally.push(bytes.readUInt32BE(offset));
    else tally.push(width === 2 ? bytes.readUInt16BE(offset) : bytes[offset]!);
    offset += width;
  }
  return tally;
}

/** The tally of a key in a block; undefined when it has none. */
export function findIn(kind: Layout, bytes: Buffer, key: Tally): Tally | undefined {
  let low = 0;
  let high = Math.floor(bytes.length / kind.bytes) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareAt(kind, bytes, middle * kind.bytes, key);
    if (order === 0) return read(kind, bytes, middle * kind.bytes);
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function compareAt({ keyWords }: Layout, bytes: Buffer, at: number, key: Tally): number {
  for (let word = 0; word < keyWords; word++) {
    const order = bytes.readInt32BE(at + 4 * word) - key[word]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Order of tallies by their keys. */
export function byKey({ keyWords }: Layout): (a: Tally, b: Tally) => number {
  return (a, b) => {
    for (let word = 0; word < keyWords; word++) {
      const order = a[word]! - b[word]!;
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** One tally of two of one key. */
export function merged({ keyWords, fields }: Layout, a: Tally, b: Tally): Tally {
  return a.map((value, place) => {
    if (place < keyWords) return value;
    const { bytes, merging } = fields[place - keyWords]!;
    const both = merging === 'sum' ? value + b[place]! : Math.max(value, b[place]!);
    return Math.min(both, mostOf(bytes));
  });
}

/** All tallies of both, in order of their keys, those of one key as one. Both are in order. */
export function mergeAll(kind: Layout, one: readonly Tally[], other: readonly Tally[]): readonly Tally[] {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const compare = byKey(kind);
  const all: Tally[] = [];
  let [a, b] = [0, 0];
  while (a < one.length && b < other.length) {
    const order = compare(one[a]!, other[b]!);
    if (order === 0) all.push(merged(kind, one[a++]!, other[b++]!));
    else all.push(order < 0 ? one[a++]! : other[b++]!);
  }
  return [...all, ...one.slice(a), ...other.slice(b)];
}
