import type { Row } from '../../src/index.js';
import { until } from '../../src/testing/index.js';
import { type DatabaseServer, PASSWORD, type SqlRow, startServer, USER } from '../shared/database-server.js';

import { startProxy } from '../shared/proxy.js';
import { serverProgram } from '../shared/server-program.js';
import { createWatchedTable } from '../shared/tables.js';

/** What is between reporter and server. */
type Network = Awaited<ReturnType<typeof startProxy>>;

export const DATABASE = 'lars_chaos';
/** Long enough for a server that recovers, on a busy machine. */
const BOUND_MS = 90_000;

/** A server of its own with a watched table, and the network in front of it. */
export class Database {
  readonly server: DatabaseServer;
  readonly network: Network;
  readonly #signal: AbortSignal;

  private constructor(server: DatabaseServer, network: Network, signal: AbortSignal) {
    this.server = server;
    this.network = network;
    this.#signal = signal;
  }

  /** `signal`: nothing is waited for any more. */
  static async start(signal: AbortSignal): Promise<Database> {
    const program = serverProgram();
    // Without a port, which somebody could take while it is down: the network reaches it by its socket. MySQL asks
    // for the password in another way on a socket than on a port, and the reporter believes that it is on a port.
    const hasPort = program.flavour === 'mysql';
    const server = await startServer({ program, args: hasPort ? [] : ['--skip-networking'] });
    try {
      await createWatchedTable(server, DATABASE);
      return new Database(server, await startProxy(hasPort ? server.port : server.socket), signal);
    } catch (error) {
      await server.destroy();
      throw error;
    }
  }

  /** Of the table, by way of the network. */
  get url(): string {
    return `mysql://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.network.port}/${DATABASE}`;
  }

  /** Runs a statement as root; rejects while the server is away. */
  query(sql: string): Promise<SqlRow[]> {
    return this.server.query(sql);
  }

  /** Runs a statement as root as soon as the server takes it. It must not matter whether it is run twice. */
  async eventually(sql: string): Promise<void> {
    await until(() => this.#signal.aborted || this.query(sql).then(() => true), {
      boundMs: BOUND_MS,
      what: sql,
    });
  }

  /** Ends the reporter's sessions; resolves to how many there were. */
  async killSessions(): Promise<number> {
    const sessions = await this.query(`SELECT id FROM information_schema.processlist WHERE user = '${USER}'`);
    for (const { id } of sessions) await this.query(`KILL CONNECTION ${id}`).catch(() => {});
    return sessions.length;
  }

  /** Rows of some callers. */
  async rows(callers: readonly number[]): Promise<Row[]> {
    const rows = await this.query(
      `SELECT * FROM ${DATABASE}.ServerCallStatus WHERE caller BETWEEN ${callers[0]} AND ${callers.at(-1)}`,
    );
    return rows.map((row) => ({
      modid: Number(row['modid']),
      cmdid: Number(row['cmdid']),
      ip: Number(row['ip']),
      port: Number(row['port']),
      caller: Number(row['caller']),
      succ: Number(row['succ_cnt']),
      err: Number(row['err_cnt']),
      ts: Number(row['ts']),
      overload: row['overload'] === '1',
    }));
  }

  /** Of each of some callers: how many rows it has, and the oldest round among them. */
  async oldestRounds(callers: readonly number[]) {
    const rows = await this.query(
      `SELECT caller, COUNT(*) n, MIN(succ_cnt) round FROM ${DATABASE}.ServerCallStatus
       WHERE caller BETWEEN ${callers[0]} AND ${callers.at(-1)} GROUP BY caller`,
    );
    return rows.map(({ caller, n, round }) => ({
      caller: Number(caller),
      rows: Number(n),
      round: Number(round),
    }));
  }

  /** What the server has noted of rows that went backwards. */
  async stepsBack(callers: readonly number[]): Promise<string[]> {
    const steps = await this.query(
      `SELECT caller, old, new FROM ${DATABASE}.steps_back WHERE caller BETWEEN ${callers[0]} AND ${callers.at(-1)}`,
    );
    return steps.map(
      (step) => `a row of caller ${step['caller']} went from ${step['old']} to ${step['new']}`,
    );
  }

  async close(): Promise<void> {
    await this.network.close();
    await this.server.destroy();
  }
}
