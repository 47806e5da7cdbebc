import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Database, open as openLmdb, type RootDatabase } from 'lmdb';
import { StoreError } from '../../model/errors.js';
import { makeDir, notADirectory } from '../../model/make-dir.js';
import {
  ERR,
  type Row,
  type RowBatch,
  SUCC,
  TAG,
  TS,
  WORDS_PER_KEY,
  WORDS_PER_ROW,
} from '../../model/row.js';
import { describeStoreAddress } from '../address.js';
import type { RowFilter, Store, StoreReader, StoreWriter } from '../contract.js';
import { classifyEmbeddedError } from '../mysql/errors.js';

/**
 * The table without a server: `data.mdb` and `lock.mdb` in a folder of its own.
 *
 * Root database: FORMAT_KEY → FORMAT. Database `rows`, all numbers big-endian:
 *
 *     key    0        4        8     12      16       20        (sign bits flipped: bytes sort as int32 do)
 *            +--------+--------+-----+-------+--------+
 *            | modid  | cmdid  | ip  | port  | caller |
 *            +--------+--------+-----+-------+--------+
 *     value  0        4        8     12         13
 *            +--------+--------+-----+----------+
 *            | succ   | err    | ts  | overload |
 *            +--------+--------+-----+----------+
 */
const FORMAT_KEY = Buffer.from('lars-reporter-store');
const FORMAT = '1';
const KEY_BYTES = 20;
const VALUE_BYTES = 13;
/** Where lmdb's first page says that it is lmdb's; a database has two such pages at least. */
const LMDB_MAGIC = Buffer.from('dec0efbe', 'hex');
const LMDB_MAGIC_AT = 24;
const LMDB_MIN_BYTES = 8192;
const SIGN_BIT = 0x80000000;

/** Rows a page: the longest the event loop is held, about a millisecond, and no longer a read transaction. */
const PAGE_ROWS = 1000;

interface Opened {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly rows: Database<Buffer, Buffer>;
}

/**
 * A store in the folder `dir`, made when missing. One process may write while others read; several writers of
 * one process share commits, and a resolved upsert is on disk. Order is kept by construction: writes are queued
 * in one place and committed in that order, also those whose commit failed and that are sent again.
 */
export function embeddedStore({ dir }: { readonly dir: string }): Store {
  let opened: Opened | undefined;
  const use = () => {
    opened ??= openFolder(dir);
    return opened;
  };
  return {
    description: description(dir),
    open: async () => void use(),
    check: async () => {
      if (opened === undefined) await checkFolder(dir);
      else checkFormat(dir, opened.root);
    },
    writer: () => embeddedWriter(dir, use),
    read: embeddedReader(dir, use),
    close: async () => {
      const { root } = opened ?? {};
      opened = undefined;
      await root?.close();
    },
  };
}

function embeddedWriter(dir: string, use: () => Opened): StoreWriter {
  return {
    upsert: async (batch) => {
      if (batch.length === 0) return;
      const { rows } = use();
      try {
        await rows.batch(() => putAll(rows, batch));
      } catch (error) {
        throw classifyEmbeddedError(
          await reasonOf(error),
          `writing ${batch.length} rows to ${description(dir)}`,
          'write',
        );
      }
    },
    close: async () => {},
  };
}

/**
 * What lmdb says of a failed commit: it comes as a promise on the error, which is rejected before the error is
 * handled, or never. Unhandled, its rejection ends the process.
 */
function reasonOf(error: unknown): Promise<unknown> {
  const known = setImmediate(error);
  const reason = (error as { commitError?: Promise<never> }).commitError;
  return reason === undefined ? known : Promise.race([reason.catch((cause: unknown) => cause), known]);
}

/** To be called within a batch: what it puts is one transaction, and the batch's promise tells of all of it. */
function putAll(rows: Database<Buffer, Buffer>, { words, length }: RowBatch): void {
  // lmdb copies keys, but reads values later, from another thread: one piece of memory for all of them.
  const key = Buffer.allocUnsafe(KEY_BYTES);
  const values = Buffer.allocUnsafeSlow(length * VALUE_BYTES);
  for (let row = 0, at = 0; row < words.length; row += WORDS_PER_ROW, at += VALUE_BYTES) {
    for (let word = 0; word < WORDS_PER_KEY; word++)
      key.writeInt32BE(words[row + word]! ^ SIGN_BIT, word * 4);
    values.writeInt32BE(words[row + SUCC]!, at);
    values.writeInt32BE(words[row + ERR]!, at + 4);
    values.writeInt32BE(words[row + TS]!, at + 8);
    values[at + 12] = words[row + TAG]! & 1;
    rows.put(key, values.subarray(at, at + VALUE_BYTES));
  }
}

function embeddedReader(dir: string, use: () => Opened): StoreReader {
  return {
    async *rows({ modid, cmdid }: RowFilter = {}) {
      // A service is a range of keys; a cmdid alone is not, its rows are picked out.
      const prefix = [modid, modid === undefined ? undefined : cmdid].filter((part) => part !== undefined);
      let start = boundary(prefix, 0x00);
      const end = boundary(prefix, 0xff);
      try {
        const { rows } = use();
        for (let more = true, first = true; more; first = false) {
          const page = rows.getRange({
            start,
            end,
            inclusiveEnd: true,
            exclusiveStart: !first,
            limit: PAGE_ROWS,
          });
          const entries = Array.from(page, ({ key, value }) => ({ key, row: toRow(key, value) }));
          for (const { row } of entries) if (cmdid === undefined || row.cmdid === (cmdid | 0)) yield row;
          more = entries.length === PAGE_ROWS;
          start = Buffer.from(entries.at(-1)?.key ?? start);
        }
      } catch (error) {
        throw classifyEmbeddedError(error, `reading rows of ${description(dir)}`, 'read');
      }
    },
  };
}

/** The smallest (`rest` 0x00) or largest (0xff) key that begins with the given columns. */
function boundary(prefix: readonly number[], rest: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES, rest);
  for (const [index, value] of prefix.entries()) key.writeInt32BE((value | 0) ^ SIGN_BIT, index * 4);
  return key;
}

function toRow(key: Buffer, value: Buffer): Row {
  return {
    modid: key.readInt32BE(0) ^ SIGN_BIT,
    cmdid: key.readInt32BE(4) ^ SIGN_BIT,
    ip: key.readInt32BE(8) ^ SIGN_BIT,
    port: key.readInt32BE(12) ^ SIGN_BIT,
    caller: key.readInt32BE(16) ^ SIGN_BIT,
    succ: value.readInt32BE(0),
    err: value.readInt32BE(4),
    ts: value.readUInt32BE(8),
    overload: value[12] === 1,
  };
}

/** Opens the store in `dir`, makes it when there is none; throws StoreError `configuration`. */
function openFolder(dir: string): Opened {
  let root: RootDatabase<Buffer, Buffer> | undefined;
  try {
    isUnused(dir);
    root = openRoot(dir, false);
    // The mark is written before anything else is: a folder with data and no mark is not ours.
    if (isEmpty(root)) root.putSync(FORMAT_KEY, Buffer.from(FORMAT));
    checkFormat(dir, root);
    const rows = root.openDB<Buffer, Buffer>('rows', { keyEncoding: 'binary', encoding: 'binary' });
    return { root, rows };
  } catch (error) {
    root?.close().catch(() => {});
    throw classifyEmbeddedError(error, `opening ${description(dir)}`, 'open');
  }
}

/** As opening it, without making anything: a folder that is missing passes when it could be made. */
async function checkFolder(dir: string): Promise<void> {
  try {
    if (isUnused(dir)) {
      let existing = path.resolve(dir);
      while ((await stat(existing).catch(() => undefined)) === undefined) existing = path.dirname(existing);
      if (!(await stat(existing)).isDirectory()) throw notADirectory(existing);
      await access(existing, constants.W_OK | constants.X_OK);
      return;
    }
    const root = openRoot(dir, true);
    try {
      if (!isEmpty(root)) checkFormat(dir, root);
    } finally {
      await root.close();
    }
  } catch (error) {
    throw classifyEmbeddedError(error, `checking ${description(dir)}`, 'open');
  }
}

/**
 * Whether `dir` holds no store yet. Throws when its data.mdb is no file of lmdb, or is cut off: lmdb would not
 * report that, it would crash the process.
 */
function isUnused(dir: string): boolean {
  const file = path.join(dir, 'data.mdb');
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes === 0) return true;
  const head = Buffer.alloc(LMDB_MAGIC_AT + LMDB_MAGIC.length);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  if (bytes >= LMDB_MIN_BYTES && head.subarray(LMDB_MAGIC_AT).equals(LMDB_MAGIC)) return false;
  throw new StoreError(
    'configuration',
    'STORE_FORMAT',
    `${file} is not a database of this store, or is damaged`,
  );
}

function openRoot(dir: string, readOnly: boolean): RootDatabase<Buffer, Buffer> {
  if (!readOnly) makeDir(dir);
  return openLmdb<Buffer, Buffer>({
    path: dir,
    // A folder with a dot in its name is still a folder.
    noSubdir: false,
    readOnly,
    keyEncoding: 'binary',
    encoding: 'binary',
    // Resolve writes when they are on disk, not before.
    overlappingSync: false,
    // On, it makes a transaction of each turn of the event loop, and a promise nobody can get hold of: when the
    // disk is full, its rejection ends the process. Our writes are batches already.
    eventTurnBatching: false,
  });
}

function isEmpty(root: RootDatabase<Buffer, Buffer>): boolean {
  const { entryCount } = root.getStats() as { entryCount: number };
  return entryCount === 0;
}

function checkFormat(dir: string, root: RootDatabase<Buffer, Buffer>): void {
  const format = root.get(FORMAT_KEY)?.toString();
  if (format === FORMAT) return;
  const found = format === undefined ? 'something else' : `format ${format} of this store`;
  throw new StoreError(
    'configuration',
    'STORE_FORMAT',
    `${dir} holds ${found}, needed is format ${FORMAT}; give store.url a folder of its own`,
  );
}

const description = (dir: string) => describeStoreAddress({ kind: 'embedded', dir });
