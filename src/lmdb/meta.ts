import { readSync } from 'node:fs';

/**
 * Of an lmdb data file: its first two pages begin with a page header, then a meta record, which says where the trees
 * begin and how much of the file is used. Commits write them in turn; lmdb goes by the one of the later transaction.
 *
 *     byte 24      28        48          88          136         144         152           168
 *          +-------+---------+-----------+-----------+-----------+-----------+-------------+
 *          | magic | version | page size | root of   | root of   | last used | transaction |
 *          | u32   | u32     | u32 …     | free u64  | main u64  | page u64  | u64 …       |
 *          +-------+---------+-----------+-----------+-----------+-----------+-------------+
 */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const VERSION_AT = 28;
const VERSION = 2;
const PAGE_BYTES_AT = 48;
const FREE_ROOT_AT = 88;
const MAIN_ROOT_AT = 136;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 168;

/** What an lmdb data file says of itself. */
export interface Meta {
  readonly pageBytes: number;
  /** Bytes from its start up to the end of the last page in use. */
  readonly usedBytes: number;
  /** Number of the last transaction, one a commit. */
  readonly transaction: number;
  /** First pages of the trees: of what is free, and of the databases. */
  readonly roots: readonly [number, number];
}

/** Reads the meta record that lmdb goes by. Undefined when this is no data file of the lmdb we have. */
export function readMeta(fd: number): Meta | undefined {
  const metas: Buffer[] = [];
  for (const at of [0, 1]) {
    const meta = Buffer.alloc(META_BYTES);
    const pageBytes = metas[0]?.readUInt32LE(PAGE_BYTES_AT) ?? 0;
    if (readSync(fd, meta, 0, META_BYTES, at * pageBytes) < META_BYTES) return undefined;
    // Of the second one lmdb looks at the transaction only.
    if (at === 0 && (meta.readUInt32LE(MAGIC_AT) !== MAGIC || meta.readUInt32LE(VERSION_AT) !== VERSION))
      return undefined;
    metas.push(meta);
  }
  const [first, second] = metas as [Buffer, Buffer];
  const isFirst = first.readBigUInt64LE(TRANSACTION_AT) >= second.readBigUInt64LE(TRANSACTION_AT);
  const meta = isFirst ? first : second;
  const pageBytes = first.readUInt32LE(PAGE_BYTES_AT);
  return {
    pageBytes,
    usedBytes: (Number(meta.readBigUInt64LE(LAST_PAGE_AT)) + 1) * pageBytes,
    transaction: Number(meta.readBigUInt64LE(TRANSACTION_AT)),
    roots: [Number(meta.readBigUInt64LE(FREE_ROOT_AT)), Number(meta.readBigUInt64LE(MAIN_ROOT_AT))],
  };
}
