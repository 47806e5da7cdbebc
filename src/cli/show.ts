import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/index.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Report } from '../model/report.js';
import { MAX_COUNTER, type Row } from '../model/row.js';
import type { StoreReader } from '../store/contract.js';
import { openStore } from '../store/open.js';
import type { Terminal } from './terminal.js';
import { alignedTable } from './text-table.js';

const POLL_MS = 50;

/** The rows that reports should leave in the store: the last of each key. */
export class SentRows {
  /** Whether other rows of the same services are of interest, too. */
  readonly wholeServices: boolean;
  /** Service (`modid cmdid`) → key → row. */
  readonly #services = new Map<string, Map<string, Row>>();

  constructor(wholeServices: boolean) {
    this.wholeServices = wholeServices;
  }

  add({ modid, cmdid, caller, ts, results }: Report): void {
    if (results.length === 0) return;
    const service = `${modid} ${cmdid}`;
    const rows = this.#services.get(service) ?? new Map<string, Row>();
    this.#services.set(service, rows);
    for (const { ip, port, succ, err, overload } of results) {
      const row: Row = {
        modid: modid | 0,
        cmdid: cmdid | 0,
        ip: ip | 0,
        port: port | 0,
        caller: caller | 0,
        succ: Math.min(succ, MAX_COUNTER),
        err: Math.min(err, MAX_COUNTER),
        ts,
        overload,
      };
      rows.set(keyOf(row), row);
    }
  }

  /** The rows of each service that were sent, by key. */
  services(): IterableIterator<ReadonlyMap<string, Row>> {
    return this.#services.values();
  }
}

/**
 * Waits until the store holds the rows with the values sent, and prints what it holds of these keys or
 * services. Throws when it does not within `waitMs`, after printing what there is.
 */
export async function showRows(
  sent: SentRows,
  config: Config['store'],
  waitMs: number,
  terminal: Terminal,
): Promise<void> {
  const store = openStore(config.url, config);
  try {
    await store.open();
    if (!store.read) throw new Error(`${store.description} cannot be read, so --show has nothing to print`);
    const { rows, missing } = await awaitRows(store.read, sent, waitMs);
    terminal.print(rowTable(rows));
    if (missing > 0) {
      throw new Error(
        `${missing} of the rows sent were not in ${store.description} with the values sent within ${waitMs} ms; ` +
          'check that the reporter runs, and that this is its store',
      );
    }
  } finally {
    await store.close();
  }
}

async function awaitRows(
  reader: StoreReader,
  sent: SentRows,
  waitMs: number,
): Promise<{ rows: Row[]; missing: number }> {
  const deadline = performance.now() + waitMs;
  const rows: Row[] = [];
  let missing = 0;
  for (const wanted of sent.services()) {
    for (;;) {
      const found = await rowsOf(reader, wanted, sent.wholeServices);
      const lacking = [...wanted.values()].filter((row) => !isSame(row, found.get(keyOf(row)))).length;
      if (lacking === 0 || performance.now() >= deadline) {
        rows.push(...found.values());
        missing += lacking;
        break;
      }
      await pause(POLL_MS);
    }
  }
  return { rows, missing };
}

async function rowsOf(
  reader: StoreReader,
  wanted: ReadonlyMap<string, Row>,
  wholeService: boolean,
): Promise<Map<string, Row>> {
  const [{ modid, cmdid }] = [...wanted.values()] as [Row];
  const found = new Map<string, Row>();
  for await (const row of reader.rows({ modid, cmdid })) {
    const key = keyOf(row);
    if (wholeService || wanted.has(key)) found.set(key, row);
  }
  return found;
}

function keyOf({ ip, port, caller }: Row): string {
  return `${ip | 0} ${port | 0} ${caller | 0}`;
}

function isSame(a: Row, b: Row | undefined): boolean {
  return (
    b !== undefined && a.succ === b.succ && a.err === b.err && a.ts === b.ts && a.overload === b.overload
  );
}

/** Rows for people: addresses dotted. */
function rowTable(rows: readonly Row[]): string {
  return alignedTable(
    ['modid', 'cmdid', 'ip', 'port', 'caller', 'succ', 'err', 'ts', 'overload'],
    rows.map((row) => [
      row.modid,
      row.cmdid,
      formatIpv4(row.ip),
      row.port,
      formatIpv4(row.caller),
      row.succ,
      row.err,
      row.ts,
      row.overload ? 1 : 0,
    ]),
  );
}
