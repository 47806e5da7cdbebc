import { crc32 } from 'node:zlib';
import { COUNTER_WORDS, ReportTemplate } from '../../src/client/encode.js';
import type { Row } from '../../src/model/row.js';

/** Who reports what. Agents have a connection and a caller each; every report holds all hosts of a service. */
export interface Shape {
  readonly agents: number;
  /** Of each agent. */
  readonly services: number;
  readonly hosts: number;
  /** All agents report the same keys; otherwise each has services of its own. */
  readonly shared?: boolean;
  /** All agents report the same services as callers of their own; one host of every fiftieth service is overloaded. */
  readonly sameServices?: boolean;
}

export function keysOf({ agents, services, hosts, shared }: Shape): number {
  return (shared ? 1 : agents) * services * hosts;
}

/** The row of a key; `version` numbers its reports. */
export function rowOf(shape: Shape, agent: number, index: number, host: number, version: number): Row {
  const service = shape.shared || shape.sameServices ? index : agent * shape.services + index;
  return {
    modid: 1 + (service % 1000),
    cmdid: 1 + Math.floor(service / 1000),
    ip: ((service % 2 === 0 ? 0x0a000000 : 0xc0000000) + service * 16 + host) | 0,
    port: 8000 + host,
    caller: 0x0a0a0001 + (shape.shared ? 0 : agent),
    succ: 1000 + host + version * 17,
    err: (service + version) % 7,
    ts: 1_795_331_921 + version,
    overload: shape.sameServices ? host === 0 && service % 50 === 0 : (service + host + version) % 5 === 0,
  };
}

/** All reports of an agent in one version, each as a frame. */
export function framesOf(shape: Shape, agent: number, version: number): Uint8Array[] {
  const counters = new Uint32Array(shape.hosts * COUNTER_WORDS);
  return Array.from({ length: shape.services }, (_, index) => {
    const rows = Array.from({ length: shape.hosts }, (_, host) => rowOf(shape, agent, index, host, version));
    rows.forEach(({ succ, err, overload }, host) => {
      counters.set([succ, err, Number(overload)], host * COUNTER_WORDS);
    });
    const { modid, cmdid, caller, ts } = rows[0]!;
    return new ReportTemplate({ modid, cmdid, hosts: rows }).frame(caller, ts, counters);
  });
}

/** All rows of a version. */
export function* rowsOf(shape: Shape, version: number): Generator<Row> {
  for (let agent = 0; agent < (shape.shared ? 1 : shape.agents); agent++)
    for (let index = 0; index < shape.services; index++)
      for (let host = 0; host < shape.hosts; host++) yield rowOf(shape, agent, index, host, version);
}

/** What a set of rows is compared by: their number, and the sum of the CRC-32 of each as text. */
export interface Digest {
  readonly rows: number;
  readonly sum: number;
}

export const crcOf = (row: Row): number =>
  crc32(
    `${row.modid},${row.cmdid},${row.ip},${row.port},${row.caller},` +
      `${row.succ},${row.err},${row.ts},${Number(row.overload)}`,
  );

export function digestOf(rows: Iterable<Row>): Digest {
  let count = 0;
  let sum = 0;
  for (const row of rows) {
    count++;
    sum += crcOf(row);
  }
  return { rows: count, sum };
}

/** The same of a table. */
export const DIGEST_SQL =
  'SELECT COUNT(*) n, COALESCE(SUM(CRC32(CONCAT_WS(",",modid,cmdid,ip,port,caller,succ_cnt,err_cnt,ts,overload))),0) s';

/** Port that no row of a case has. */
export const FILLER_PORT = 9000;

/** Puts `rows` rows into the table of `database`, in the order of keys, spread over the services that U reports. */
export function fillerSql(database: string, rows: number): string {
  const services = 50_000;
  const hosts = Math.ceil(rows / services);
  return (
    `INSERT INTO ${database}.ServerCallStatus (modid,cmdid,ip,port,caller,succ_cnt,err_cnt,ts,overload) ` +
    `SELECT 1 + (seq DIV ${50 * hosts}), 1 + (seq DIV ${hosts}) % 50, seq, ${FILLER_PORT}, 7, 1, 1, 1, '0' ` +
    `FROM ${database}.seq_0_to_${rows - 1}`
  );
}
