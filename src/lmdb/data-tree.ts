import { readSync } from 'node:fs';
import type { Meta } from './meta.js';

/**
 * Of a page of a tree: a header, the places of its nodes, and the nodes. Each node has a header of 8 bytes and a key;
 * in a branch the header holds the number of a page below, in a leaf it is followed by the data, or by what stands for
 * it: the first and the number of pages that hold it (BIG), or the record of another tree (TREE).
 */
export const HEADER_BYTES = 24;
const FLAGS_AT = 18;
const BRANCH = 0x01;
const LEAF = 0x02;
/** Of a page, those bits of its flags that say what it is. */
const KINDS = 0x0f;
const NODES_END_AT = 20;
const NODE_BYTES = 8;
const BIG = 0x01;
const TREE = 0x02;
export const BIG_PAGES_AT = 16;
export const ROOT_AT = 40;
/** The root of an empty tree. */
const NO_PAGE = 2 ** 64;

/**
 * Bytes from the start of an lmdb data file up to the end of the last page that its trees lead to, as far as they can
 * be read: the pages that are missing are counted, and not gone into.
 */
export function pageEnd(fd: number, { pageBytes, usedBytes, roots }: Meta): number {
  const page = Buffer.alloc(pageBytes);
  const seen = new Set<number>();
  const next: number[] = [...roots];
  let end = 0;
  for (;;) {
    const number = next.pop();
    if (number === undefined) return end * pageBytes;
    // A damaged one leads anywhere, and round in circles: what lmdb would not go to counts for nothing.
    if (number === NO_PAGE || number * pageBytes >= usedBytes || seen.has(number)) continue;
    seen.add(number);
    end = Math.max(end, number + 1);
    if (readSync(fd, page, 0, pageBytes, number * pageBytes) < pageBytes) continue;
    for (const { first, count } of pagesBelow(page)) {
      if (count === 0) next.push(first);
      else if ((first + count) * pageBytes <= usedBytes) end = Math.max(end, first + count);
    }
  }
}

/**
 * The first page of the trees that is not as lmdb writes one, or is led to twice; undefined when all are sound. lmdb
 * trusts what it reads: such a page ends the process, or keeps it for ever. Reads every page of the trees, and so is
 * for files in which they are small, and that nobody writes meanwhile. What the nodes hold is not looked at.
 */
export function damagedPage(fd: number, { pageBytes, usedBytes, roots }: Meta): number | undefined {
  const page = Buffer.alloc(pageBytes);
  const seen = new Set<number>();
  const next: number[] = [...roots];
  for (;;) {
    const number = next.pop();
    if (number === undefined) return undefined;
    if (number === NO_PAGE) continue;
    if (seen.has(number) || number * pageBytes >= usedBytes) return number;
    seen.add(number);
    if (readSync(fd, page, 0, pageBytes, number * pageBytes) < pageBytes) return number;
    if (!isTreePage(page, number)) return number;
    for (const { first, count } of pagesBelow(page)) {
      if (count === 0) next.push(first);
      else if ((first + count) * pageBytes > usedBytes) return number;
    }
  }
}

function isTreePage(page: Buffer, number: number): boolean {
  const kind = page.readUInt16LE(FLAGS_AT) & KINDS;
  if (Number(page.readBigUInt64LE(0)) !== number || (kind !== BRANCH && kind !== LEAF)) return false;
  const places = [...placesOf(page)];
  if (places.length === 0 || places.length !== page.readUInt16LE(NODES_END_AT) >> 1) return false;
  if (kind === BRANCH) return true;
  return places.every((at) => {
    const isBig = (page.readUInt16LE(at + 4) & BIG) !== 0;
    const length = isBig ? BIG_PAGES_AT + 8 : page.readUInt32LE(at);
    return at + NODE_BYTES + page.readUInt16LE(at + 6) + length <= page.length;
  });
}

/** A node of a leaf. */
export interface LeafNode {
  readonly key: Buffer;
  /** Bytes of its value, wherever they are. */
  readonly length: number;
  /** Where `page` holds the value, or what stands for it. */
  readonly page: Buffer;
  readonly data: number;
  readonly isBig: boolean;
  readonly isTree: boolean;
}

/** The nodes of all leaves of a tree, in order, as far as they can be read. */
export function* leavesOf(fd: number, meta: Meta, root: number): Generator<LeafNode> {
  const { pageBytes, usedBytes } = meta;
  // The first to be read is the last.
  const next = [root];
  const seen = new Set<number>();
  for (let number = next.pop(); number !== undefined; number = next.pop()) {
    if (number === NO_PAGE || number * pageBytes >= usedBytes || seen.has(number)) continue;
    seen.add(number);
    const page = Buffer.alloc(pageBytes);
    if (readSync(fd, page, 0, pageBytes, number * pageBytes) < pageBytes) continue;
    if (page.readUInt16LE(FLAGS_AT) & BRANCH) {
      const below = [...pagesBelow(page)].map(({ first }) => first);
      next.push(...below.reverse());
    } else yield* nodesOf(page);
  }
}

function* nodesOf(page: Buffer): Generator<LeafNode> {
  for (const at of placesOf(page)) {
    const flags = page.readUInt16LE(at + 4);
    const data = at + NODE_BYTES + page.readUInt16LE(at + 6);
    if (data > page.length) return;
    yield {
      key: page.subarray(at + NODE_BYTES, data),
      length: page.readUInt32LE(at),
      ...{ page, data, isBig: (flags & BIG) !== 0, isTree: (flags & TREE) !== 0 },
    };
  }
}

/** Where the nodes of a page of a tree begin. */
function* placesOf(page: Buffer): Generator<number> {
  if (!(page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF))) return;
  const nodes = page.readUInt16LE(NODES_END_AT) >> 1;
  for (let node = 0; node < nodes; node++) {
    const place = HEADER_BYTES + 2 * node;
    if (place + 2 > page.length) return;
    const at = HEADER_BYTES + page.readUInt16LE(place);
    if (at + NODE_BYTES > page.length) return;
    yield at;
  }
}

/** Pages a page leads to: those of a tree with count 0, those that hold the data of one node with their number. */
function* pagesBelow(page: Buffer): Generator<{ readonly first: number; readonly count: number }> {
  const isBranch = (page.readUInt16LE(FLAGS_AT) & BRANCH) !== 0;
  for (const at of placesOf(page)) {
    if (isBranch) {
      yield { first: page.readUIntLE(at, 6), count: 0 };
      continue;
    }
    const kind = page.readUInt16LE(at + 4);
    const data = at + NODE_BYTES + page.readUInt16LE(at + 6);
    if (kind & BIG && data + BIG_PAGES_AT + 8 <= page.length)
      yield {
        first: Number(page.readBigUInt64LE(data)),
        count: Number(page.readBigUInt64LE(data + BIG_PAGES_AT)),
      };
    if (kind & TREE && data + ROOT_AT + 8 <= page.length)
      yield { first: Number(page.readBigUInt64LE(data + ROOT_AT)), count: 0 };
  }
}
