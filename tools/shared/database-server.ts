import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import mysql, { type Connection } from 'mysql2/promise';
import { until } from '../../src/testing/until.js';
import { asRoot, type ServerProgram, serverProgram } from './server-program.js';

/** Column by column what a query gave; none for statements without rows. */
export type SqlRow = Readonly<Record<string, string | number | null>>;

/** A MariaDB or MySQL server of one test file: own data, own port on 127.0.0.1, default durability. */
export interface DatabaseServer {
  readonly flavour: ServerProgram['flavour'];
  /** Program of the server. */
  readonly name: string;
  /** Store URL of a database for the user `lars`, who has all rights on databases named `lars…`, none beyond. */
  url(database: string): string;
  readonly socket: string;
  /** Where its data are. */
  readonly dataDir: string;
  readonly port: number;
  /** Process id of the server that runs now. */
  readonly pid: number;
  /** Runs one statement as root. */
  query(sql: string): Promise<SqlRow[]>;
  /** A session as root, for locks and transactions; end it before the test ends. */
  session(database: string): Promise<Connection>;
  /** Shuts down in good order. */
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Starts again after `stop` or `kill9`: same data, same port. */
  start(): Promise<void>;
  /** SIGSTOP; the server stands still when this resolves. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** Kills the server and removes its data. */
  destroy(): Promise<void>;
}

export const USER = 'lars';
export const PASSWORD = 'p@ss:w/rd#1';

const START_BOUND_MS = 60_000;

const INIT_SQL = `
CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${PASSWORD}';
GRANT ALL ON \`lars%\`.* TO '${USER}'@'%';
`;

export interface ServerOptions {
  /** Further arguments of the server. */
  readonly args?: readonly string[];
  /** What is started; see `serverProgram`. */
  readonly program?: ServerProgram;
  /** An existing folder for everything of it, with a short path; a temporary one unless given. */
  readonly dir?: string;
}

/**
 * Starts a server of its own. `destroy` it in `test.after.always`; if the test process ends before, the server is
 * killed and its data removed all the same.
 */
export async function startServer(options: ServerOptions = {}): Promise<DatabaseServer> {
  const { args = [], program = serverProgram() } = options;
  const dir = mkdtempSync(path.join(options.dir ?? os.tmpdir(), `lars-${program.flavour}-`));
  const server = new Server(program, dir, args);
  alive.add(server);
  try {
    writeFileSync(path.join(dir, 'init.sql'), INIT_SQL);
    await program.initialise(dir);
    await server.start();
  } catch (error) {
    await server.destroy();
    throw error;
  }
  return server;
}

class Server implements DatabaseServer {
  readonly #program: ServerProgram;
  readonly #dir: string;
  readonly #args: readonly string[];
  #port: number | undefined;
  #process: ChildProcess | undefined;

  constructor(program: ServerProgram, dir: string, args: readonly string[]) {
    this.#program = program;
    this.#dir = dir;
    this.#args = args;
  }

  get flavour(): ServerProgram['flavour'] {
    return this.#program.flavour;
  }

  get name(): string {
    return this.#program.name;
  }

  url(database: string): string {
    return `mysql://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/${database}`;
  }

  get socket(): string {
    return path.join(this.#dir, 's');
  }

  get dataDir(): string {
    return path.join(this.#dir, 'data');
  }

  get port(): number {
    if (this.#port === undefined) throw new Error('the server was never started');
    return this.#port;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the server does not run');
    return this.#process.pid;
  }

  async start(): Promise<void> {
    this.#port ??= await freePort();
    // MySQL makes it `log.err`.
    const log = path.join(this.#dir, 'log.err');
    const child = spawn(
      this.#program.file,
      [
        '--no-defaults',
        ...asRoot,
        `--datadir=${this.dataDir}`,
        `--socket=${this.socket}`,
        `--port=${this.#port}`,
        `--pid-file=${path.join(this.#dir, 'pid')}`,
        `--log-error=${log}`,
        `--init-file=${path.join(this.#dir, 'init.sql')}`,
        // A server that starts deletes the temporary files it finds, of other servers too.
        `--tmpdir=${this.#dir}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        ...this.#program.args,
        ...this.#args,
      ],
      { stdio: 'ignore' },
    );
    this.#process = child;
    const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    child.on('error', () => {});
    await until(
      async () => {
        if (ended()) return 'ended';
        await this.query('SELECT 1');
        return 'ready';
      },
      { boundMs: START_BOUND_MS, what: `${this.name} answers` },
    );
    if (ended()) {
      this.#process = undefined;
      throw new Error(
        `${this.name} did not start: ${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : 'no log'}`,
      );
    }
  }

  async query(sql: string): Promise<SqlRow[]> {
    const session = await this.session();
    try {
      const [rows] = await session.query(sql);
      return rows as SqlRow[];
    } finally {
      await session.end();
    }
  }

  session(database?: string): Promise<Connection> {
    return mysql.createConnection({
      socketPath: this.socket,
      user: 'root',
      connectTimeout: 2000,
      ...(database === undefined ? {} : { database }),
    });
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    await until(() => processState(this.pid) === 'T', { boundMs: 5000, what: `${this.name} is stopped` });
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async destroy(): Promise<void> {
    await this.kill9();
    this.remove();
    alive.delete(this);
  }

  /** What can still be done while the process exits. */
  abandon(): void {
    this.#process?.kill('SIGKILL');
    this.remove();
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }
}

/** Servers that must not outlive this process. */
const alive = new Set<Server>();
process.on('exit', () => {
  for (const server of alive) server.abandon();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** `T` of a stopped process, where the system tells; elsewhere a signal is believed to have worked. */
function processState(pid: number): string {
  if (!existsSync('/proc/self/stat')) return 'T';
  // The name in parentheses may hold anything.
  return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0] ?? '';
}
