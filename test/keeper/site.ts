import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import type { Ledger, ReporterStatus } from '../../src/index.js';
import { openStore } from '../../src/store/open.js';
import { numberedReport, until } from '../../src/testing/index.js';
import { type CliOptions, type CliProcess, type ReadyLine, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const ENV = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
export const BOUND_MS = 30_000;

/** A reporter under a keeper, in a folder of its own. */
export class KeptSite {
  readonly cwd: string;
  readonly cli: CliProcess;
  readonly port: number;
  readonly adminPort: number;
  /** With TLS; undefined where that is not spoken at the start. */
  readonly tlsPort: number | undefined;

  private constructor(cwd: string, cli: CliProcess, { listen, tls, admin }: ReadyLine) {
    this.cwd = cwd;
    this.cli = cli;
    this.port = listen.port;
    this.adminPort = admin!.port;
    this.tlsPort = tls?.port;
  }

  static async start(
    t: ExecutionContext,
    env: NodeJS.ProcessEnv = {},
    cwd = tempDir(t),
    options: Pick<CliOptions, 'program'> = {},
  ) {
    const { cli, ready } = await startServe([], { cwd, env: { ...ENV, ...env }, ...options });
    t.teardown(async () => void (await cli.stop('SIGKILL')));
    return new KeptSite(cwd, cli, ready);
  }

  /** The process that reads. */
  get childPid(): number {
    return this.cli.readerPid;
  }

  async ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
    const signal = AbortSignal.timeout(BOUND_MS);
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, { signal, ...init });
    return (await response.json()) as Answer;
  }

  status(): Promise<ReporterStatus> {
    return this.ask('/api/status');
  }

  /** Rejects while there is none: a process that starts does not know yet what it holds. */
  async ledger(): Promise<Ledger> {
    const answer = await this.ask<Ledger | { readonly error: string }>('/api/ledger');
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  /** Resolves to the status of a process other than `pid` that takes reports. */
  successor(pid: number): Promise<ReporterStatus> {
    return until(
      async () => {
        const status = await this.status();
        return status.pid !== pid && status.state === 'running' && status;
      },
      { boundMs: BOUND_MS, what: `another process than ${pid} to read` },
    );
  }

  /** Kills the process that reads, and waits for the next one. */
  async crash(): Promise<ReporterStatus> {
    const { pid } = await this.status();
    process.kill(pid, 'SIGKILL');
    return this.successor(pid);
  }

  async handOver(): Promise<ReporterStatus> {
    const { pid } = await this.status();
    this.cli.child.kill('SIGUSR2');
    return this.successor(pid);
  }

  logged(text: string): Promise<boolean> {
    return until(() => this.cli.stderr.includes(text), { boundMs: BOUND_MS, what: `"${text}" in the log` });
  }

  /** Highest number stored for each caller; rows of embedded stores are read while they are written. */
  async stored(): Promise<Map<number, number>> {
    const store = openStore(`embedded:${this.cwd}/data/store`, {
      connectTimeoutMs: 5000,
      queryTimeoutMs: 5000,
    });
    const newest = new Map<number, number>();
    try {
      for await (const row of store.read!.rows())
        newest.set(row.caller, Math.max(row.succ, newest.get(row.caller) ?? 0));
    } finally {
      await store.close();
    }
    return newest;
  }

  /** Waits until the store has this number of each caller. Rejects with the log: it says what was in the way. */
  async storedAt(callers: readonly number[], round: number): Promise<void> {
    const isStored = async () => {
      const stored = await this.stored();
      return callers.every((caller) => stored.get(caller) === round);
    };
    const what = `round ${round} of every caller to be stored`;
    try {
      await until(isStored, { boundMs: BOUND_MS, what });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new Error(`${message}; last failure: ${String(cause)}; the log:\n${this.cli.stderr}`);
    }
  }
}

/** An agent as the original one: it connects once, and never again. */
export class OneTimeAgent {
  readonly caller: number;
  readonly socket: Socket;
  /** How its connection ended, if it did. */
  end: string | undefined;

  private constructor(caller: number, socket: Socket) {
    this.caller = caller;
    this.socket = socket;
    socket.on('error', (error) => {
      this.end ??= error.message;
    });
    socket.on('close', () => {
      this.end ??= 'closed';
    });
  }

  static async connect(t: ExecutionContext, port: number, caller: number): Promise<OneTimeAgent> {
    const socket = connect(port, '127.0.0.1');
    const agent = new OneTimeAgent(caller, socket);
    await once(socket, 'connect');
    t.teardown(() => socket.destroy());
    return agent;
  }

  frame(round: number, hosts = 3): Buffer {
    return encodeReportFrame(numberedReport(this.caller, this.caller, hosts, round));
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.end !== undefined) throw new Error(`agent ${this.caller} has lost its connection: ${this.end}`);
    if (!this.socket.write(bytes)) await once(this.socket, 'drain');
  }
}

export async function connectAll(t: ExecutionContext, port: number, count: number): Promise<OneTimeAgent[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => OneTimeAgent.connect(t, port, index + 1)));
}
