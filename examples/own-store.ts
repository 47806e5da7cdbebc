/**
 * A store of your own: rows as lines of JSON at the end of a file. `own-store.test.ts` holds it to what every store must
 * do. It never shortens its file; a store for long use would.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import {
  type Row,
  type RowBatch,
  type RowFilter,
  type Store,
  StoreError,
  type StoreWriter,
} from 'lars-reporter';

const KEY = ['modid', 'cmdid', 'ip', 'port', 'caller'] as const;
type Key = Pick<Row, (typeof KEY)[number]>;
const keyOf = (row: Key) => KEY.map((column) => row[column]).join(' ');

export class JsonLinesStore implements Store {
  readonly description = 'a file of JSON lines';
  readonly #path: string;
  readonly #rows = new Map<string, Row>();
  #file: FileHandle | undefined;
  /** Writers of several partitions share the file: one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#file = await open(this.#path, 'a').catch(failed('configuration'));
    // A line that a crash has torn was never confirmed.
    const lines = (await readFile(this.#path, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
    for (const row of lines.map((line) => JSON.parse(line) as Row)) this.#rows.set(keyOf(row), row);
  }

  async check(): Promise<void> {
    await this.#file!.stat().catch(failed('retry'));
  }

  writer(): StoreWriter {
    // Of no use to a file: which partition it is. Nothing to close either.
    return { upsert: (rows) => this.#append(rows), close: async () => {} };
  }

  readonly read = { rows: (filter?: RowFilter) => select(this.#rows.values(), filter) };

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #append(rows: RowBatch): Promise<void> {
    const write = async () => {
      // The line before may be torn: it stays alone.
      await this.#file!.appendFile(`\n${[...rows].map((row) => JSON.stringify(row)).join('\n')}`);
      await this.#file!.datasync();
      for (const row of rows) this.#rows.set(keyOf(row), row);
    };
    const done = this.#last.then(write).catch(failed('retry'));
    this.#last = done.catch(() => {});
    return done;
  }
}

async function* select(rows: Iterable<Row>, { modid, cmdid, after }: RowFilter = {}): AsyncGenerator<Row> {
  for (const row of [...rows].sort(compare)) {
    if (after && compare(row, after) <= 0) continue;
    if ((modid ?? row.modid) === row.modid && (cmdid ?? row.cmdid) === row.cmdid) yield row;
  }
}

function compare(a: Key, b: Key): number {
  const column = KEY.find((name) => a[name] !== b[name]);
  return column ? a[column] - b[column] : 0;
}

const failed = (why: 'configuration' | 'retry') => (error: NodeJS.ErrnoException) => {
  throw new StoreError(why, error.code ?? 'UNKNOWN', error.message, { cause: error, maybeApplied: true });
};
