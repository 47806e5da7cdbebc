/** The references of U: rows to MariaDB by mysql2 and nothing else, statements built beforehand. */
import mysql, { type Connection } from 'mysql2/promise';
import { compareKeys, type Row, RowBatch, WORDS_PER_ROW } from '../../../src/model/row.js';
import { UpsertText } from '../../../src/store/mysql/upsert.js';
import { rowsOf, type Shape } from '../rows.js';
import { serve } from '../rpc.js';

const text = new UpsertText({ modid: false, cmdid: false, ip: false, port: false, caller: false });
let connections: Connection[] = [];
let statements: string[] = [];

const api = {
  /** Statements of `batchRows` rows, sorted by primary key over all when there are several in one. */
  async prepare(job: {
    url: string;
    connections: number;
    batchRows: number;
    shape: Shape;
    version: number;
    rows?: number;
  }): Promise<void> {
    const rows: Row[] = [...rowsOf(job.shape, job.version)].slice(0, job.rows);
    const packed = rows.map((row) => RowBatch.from([row]).words);
    if (job.batchRows > 1) packed.sort((a, b) => compareKeys(a, 0, b, 0));
    statements = [];
    for (let from = 0; from < packed.length; from += job.batchRows) {
      const some = packed.slice(from, from + job.batchRows);
      const words = new Int32Array(some.length * WORDS_PER_ROW);
      some.forEach((row, index) => {
        words.set(row, index * WORDS_PER_ROW);
      });
      statements.push(text.statement(words));
    }
    connections = await Promise.all(
      Array.from({ length: job.connections }, () => mysql.createConnection(job.url)),
    );
  },

  /** Statements go round-robin, one in flight on each connection. Resolves to milliseconds. */
  async run(): Promise<number> {
    const began = performance.now();
    await Promise.all(
      connections.map(async (connection, index) => {
        for (let at = index; at < statements.length; at += connections.length)
          await connection.query(statements[at]!);
      }),
    );
    const elapsedMs = performance.now() - began;
    await Promise.all(connections.map((connection) => connection.end()));
    return elapsedMs;
  },
};

export type RawApi = typeof api;
serve(api);
