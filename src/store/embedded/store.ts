import { statSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { DataFileError } from '../../lmdb/data-file.js';
import { inTurn } from '../../lmdb/in-turn.js';
import { dataFileOf, openEnvironment } from '../../lmdb/open-environment.js';
import { Reserve } from '../../lmdb/reserve.js';
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
import type { ForgetOrder, Forgotten, RowFilter, Store, StoreReader, StoreWriter } from '../contract.js';
import { classifyEmbeddedError } from './errors.js';

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
/** What a row takes in a page: key, value, and lmdb's header and place of the node. */
const ENTRY_BYTES = KEY_BYTES + VALUE_BYTES + 1 + 10;
const SIGN_BIT = 0x80000000;

/** Rows a page: the longest the event loop is held, about a millisecond, and no longer a read transaction. */
const PAGE_ROWS = 1000;

interface Opened {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly rows: Database<Buffer, Buffer>;
  /** Undefined until something is written: who only reads leaves the file as it is. */
  reserve: Reserve | undefined;
}

type Use = () => Promise<Opened>;

/**
 * A store in the folder `dir`, made when missing. One process may write while others read; several writers of
 * one process share commits, and a resolved upsert is on disk. Order is kept by construction: writes are queued
 * in one place and committed in that order, also those whose commit failed and that are sent again.
 */
export function embeddedStore({ dir }: { readonly dir: string }): Store {
  let opening: Promise<Opened> | undefined;
  const use: Use = () => {
    opening ??= openFolder(dir).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    description: description(dir),
    open: async () => void (await use()),
    check: async () => {
      if (opening === undefined) await checkFolder(dir);
      else checkFormat(dir, (await opening).root);
    },
    writer: () => embeddedWriter(dir, use),
    read: embeddedReader(dir, use),
    forget: (order) => forgetOldRows(dir, use, order),
    close: async () => {
      const closing = opening;
      opening = undefined;
      const opened = await closing?.catch(() => undefined);
      // First, so that nobody who waits for room writes to an environment that is closed.
      await opened?.reserve?.close();
      if (opened) await inTurn(dir, () => opened.root.close());
    },
  };
}

function embeddedWriter(dir: string, use: Use): StoreWriter {
  return {
    upsert: async (batch) => {
      if (batch.length === 0) return;
      const opened = await use();
      const { rows } = opened;
      try {
        opened.reserve ??= new Reserve(dataFileOf(dir));
        const { reserve } = opened;
        await reserve.commit(bytesFor(batch.length, rows, reserve), () =>
          rows.batch(() => putAll(rows, batch)),
        );
        // In a file that nobody finds any more they are not stored.
        const displacement = reserve.displacement();
        if (displacement) throw displacement;
      } catch (error) {
        throw classifyEmbeddedError(error, `writing ${batch.length} rows to ${description(dir)}`, 'write');
      }
    },
    close: async () => {},
  };
}

/** What a commit of so many rows needs: each may come to a page of its own, of those there are, and split it. */
function bytesFor(count: number, rows: Database<Buffer, Buffer>, reserve: Reserve): number {
  const { treeLeafPageCount } = rows.getStats() as { treeLeafPageCount: number };
  // New pages are half full at least.
  return reserve.bytesToStore(2 * count * ENTRY_BYTES, Math.min(count, treeLeafPageCount));
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

function embeddedReader(dir: string, use: Use): StoreReader {
  return {
    async *rows({ modid, cmdid, after }: RowFilter = {}) {
      // A service is a range of keys; a cmdid alone is not, its rows are picked out.
      const prefix = [modid, modid === undefined ? undefined : cmdid].filter((part) => part !== undefined);
      let start = boundary(prefix, 0x00);
      const end = boundary(prefix, 0xff);
      const behind = after && boundary([after.modid, after.cmdid, after.ip, after.port, after.caller], 0x00);
      const isBehind = behind !== undefined && Buffer.compare(behind, start) >= 0;
      if (isBehind) start = behind;
      try {
        const { rows } = await use();
        for (let more = true, first = !isBehind; more; first = false) {
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

/** No other process writes: whoever calls holds the journal of the reporter that could. */
async function* forgetOldRows(dir: string, use: Use, order: ForgetOrder): AsyncGenerator<Forgotten> {
  const forgotten = { looked: 0, old: 0, removed: 0 };
  let old: Row[] = [];
  const settle = async () => {
    forgotten.old += old.length;
    if (old.length > 0 && !order.dryRun) forgotten.removed += await remove(dir, await use(), old);
    old = [];
    return { ...forgotten };
  };
  for await (const row of embeddedReader(dir, use).rows()) {
    forgotten.looked++;
    if (order.isOld(row)) old.push(row);
    if (old.length === PAGE_ROWS) yield await settle();
  }
  yield await settle();
}

async function remove(dir: string, opened: Opened, old: readonly Row[]): Promise<number> {
  const { rows } = opened;
  try {
    opened.reserve ??= new Reserve(dataFileOf(dir));
    const { reserve } = opened;
    const keys = old.map(({ modid, cmdid, ip, port, caller }) =>
      boundary([modid, cmdid, ip, port, caller], 0),
    );
    await reserve.commit(bytesFor(old.length, rows, reserve), () =>
      rows.batch(() => {
        for (const key of keys) rows.remove(key);
      }),
    );
    return old.length;
  } catch (error) {
    throw classifyEmbeddedError(error, `removing ${old.length} rows of ${description(dir)}`, 'write');
  }
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

/**
 * Opens the store in `dir`, makes it when there is none. Throws StoreError `configuration`; `retry-slowly` when the
 * disk has no room to make it.
 */
async function openFolder(dir: string): Promise<Opened> {
  try {
    makeDir(dir);
    return await inTurn(dir, () => openAlone(dir));
  } catch (error) {
    throw classifyOpening(error, `opening ${description(dir)}`);
  }
}

async function openAlone(dir: string): Promise<Opened> {
  let root: RootDatabase<Buffer, Buffer> | undefined;
  let reserve: Reserve | undefined;
  try {
    root = openRoot(dir, false);
    const isNew = isEmpty(root);
    if (!isNew) checkFormat(dir, root);
    let rows = rowsOf(root, false);
    if (!rows) {
      reserve = new Reserve(dataFileOf(dir));
      if (reserve.shortage)
        throw classifyEmbeddedError(reserve.shortage, `making ${description(dir)}`, 'write');
      // The mark is written before anything else is: a folder with data and no mark is not ours.
      if (isNew) root.putSync(FORMAT_KEY, Buffer.from(FORMAT));
      rows = rowsOf(root, true)!;
    }
    return { root, rows, reserve };
  } catch (error) {
    await reserve?.close().catch(() => {});
    await root?.close().catch(() => {});
    throw error;
  }
}

/** The table; undefined when it is missing and not to be made. */
function rowsOf(root: RootDatabase<Buffer, Buffer>, create: boolean): Database<Buffer, Buffer> | undefined {
  // `create` is not in the types of lmdb.
  const options = { name: 'rows', keyEncoding: 'binary', encoding: 'binary', create } as const;
  return root.openDB<Buffer, Buffer>(options);
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
    await inTurn(dir, async () => {
      const root = openRoot(dir, true);
      try {
        if (!isEmpty(root)) checkFormat(dir, root);
      } finally {
        await root.close();
      }
    });
  } catch (error) {
    throw classifyOpening(error, `checking ${description(dir)}`);
  }
}

/** Whether `dir` holds no store yet. */
function isUnused(dir: string): boolean {
  return (statSync(dataFileOf(dir), { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function openRoot(dir: string, readOnly: boolean): RootDatabase<Buffer, Buffer> {
  return openEnvironment<Buffer, Buffer>({ dir, readOnly, keyEncoding: 'binary', encoding: 'binary' });
}

function classifyOpening(error: unknown, doing: string): StoreError {
  if (!(error instanceof DataFileError)) return classifyEmbeddedError(error, doing, 'open');
  return new StoreError(
    'configuration',
    'STORE_FORMAT',
    `${doing}: ${error.message}; give store.url a folder of its own, or bring back a copy of this one`,
    { cause: error },
  );
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
