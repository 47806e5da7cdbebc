import { StoreError } from '../model/errors.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Row } from '../model/row.js';
import type { RowPlace, Store } from '../store/contract.js';
import { table } from './csv.js';
import { answering, checkNames, csv, integerOf, later, Misasked, takeFormat } from './questions.js';
import { type AdminRequest, type Answer, failure, json, type Route, STARTING } from './route.js';

const PATH = '/api/rows';
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const MIN_INT32 = -0x8000_0000;
const MAX_INT32 = 0x7fff_ffff;
/** Readings at a time: each has a connection of its own to the database. */
const MAX_READINGS = 4;

/** A row of the table. Addresses are dotted quads. */
export interface StoredRow extends Omit<Row, 'ip' | 'caller'> {
  readonly ip: string;
  readonly caller: string;
}

/** GET /api/rows */
export interface StoredRowsAnswer {
  /** In the order of the table's primary key. */
  readonly rows: readonly StoredRow[];
  /** For `cursor`, to go on; null at the end. */
  readonly cursor: string | null;
}

/** The table as it is: the rows of one service. `store` is undefined while the reporter starts. */
export function storedRowsRoute(store: () => Store | undefined): Route {
  let readings = 0;
  return {
    method: 'GET',
    path: PATH,
    handle: (request) =>
      answering(async () => {
        const { format, filter, limit } = questionOf(request);
        const opened = store();
        if (!opened) return STARTING;
        if (!opened.read) return failure(404, `${opened.description} cannot be read`);
        if (readings >= MAX_READINGS)
          return later('the store is being read by others; ask again in a second');
        readings++;
        try {
          const answer = await read(opened.read.rows(filter), limit);
          return format === 'csv' ? csv('rows', asCsv(answer.rows)) : json(answer);
        } catch (error) {
          return away(error);
        } finally {
          readings--;
        }
      }),
  };
}

function questionOf({ query }: AdminRequest) {
  const format = takeFormat(query);
  checkNames(query, ['modid', 'cmdid', 'cursor', 'limit']);
  const service = {
    modid: integerOf('modid', required(query, 'modid'), MIN_INT32, MAX_INT32),
    cmdid: integerOf('cmdid', required(query, 'cmdid'), MIN_INT32, MAX_INT32),
  };
  const cursor = query.get('cursor');
  const after = cursor === null ? {} : { after: { ...service, ...placeIn(cursor) } };
  const limit = integerOf('limit', query.get('limit') ?? DEFAULT_LIMIT, 1, MAX_LIMIT);
  return { format, filter: { ...service, ...after }, limit };
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null) throw new Misasked(`${name} is missing: name a service with modid and cmdid`);
  return value;
}

/** One row more is read than is shown: whether there is a next page. */
async function read(rows: AsyncIterable<Row>, limit: number): Promise<StoredRowsAnswer> {
  const page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length > limit) break;
  }
  const shown = page.slice(0, limit);
  return {
    rows: shown.map(({ modid, cmdid, ip, port, caller, succ, err, ts, overload }) => ({
      ...{ modid, cmdid, ip: formatIpv4(ip), port, caller: formatIpv4(caller) },
      ...{ succ, err, ts, overload },
    })),
    cursor: page.length > limit ? cursorOf(shown.at(-1)!) : null,
  };
}

function cursorOf({ ip, port, caller }: RowPlace): string {
  return [ip, port, caller].map((column) => column | 0).join('_');
}

function placeIn(cursor: string): Pick<RowPlace, 'ip' | 'port' | 'caller'> {
  const [, ip, port, caller] = /^(-?\d{1,10})_(-?\d{1,10})_(-?\d{1,10})$/.exec(cursor) ?? [];
  if (ip === undefined) throw new Misasked('cursor is to be that of the page before');
  return { ip: Number(ip) | 0, port: Number(port) | 0, caller: Number(caller) | 0 };
}

/** A store that is away is no failure of the reporter: it says so, with the class of the store's error. */
function away(error: unknown): Answer {
  if (!(error instanceof StoreError)) throw error;
  const { message, class: errorClass, code } = error;
  return { ...json({ error: message, class: errorClass, code }, 503), headers: { 'retry-after': '5' } };
}

function asCsv(rows: readonly StoredRow[]): string {
  return table(
    {
      modid: ({ modid }) => modid,
      cmdid: ({ cmdid }) => cmdid,
      ip: ({ ip }) => ip,
      port: ({ port }) => port,
      caller: ({ caller }) => caller,
      succ: ({ succ }) => succ,
      err: ({ err }) => err,
      ts: ({ ts }) => ts,
      overload: ({ overload }) => overload,
    },
    rows,
  );
}
