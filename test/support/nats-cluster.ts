import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { until } from '../../src/testing/until.js';

const FETCH = fileURLToPath(new URL('../../../tools/shared/fetch-server.sh', import.meta.url));
/** How often, and how long, a new cluster is tried to be formed. */
const FORMATIONS = 5;
const FORMATION_MS = 8000;
const START = { boundMs: 60_000 };

/** The server's program, fetched into the cache when it is not there; see tools/shared/fetch-server.sh. */
export function natsProgram(name: 'nats' | 'nats2.9' = 'nats'): string {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  return execFileSync('sh', [FETCH, name], { encoding: 'utf8', stdio }).trim();
}

export interface ClusterOptions {
  readonly servers?: number;
  /** What each server runs; 2.10.27 unless given. */
  readonly programs?: readonly string[];
  /** `max_payload` of the servers; their default unless given. */
  readonly maxPayload?: number;
}

interface Member {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  child: ChildProcess | undefined;
}

/** Real servers on loopback, whose JetStream is one cluster. Destroyed with the process at the latest. */
export class NatsCluster {
  readonly #programs: readonly string[];
  readonly #dir: string;
  readonly #members: Member[];

  static async start(options: ClusterOptions = {}): Promise<NatsCluster> {
    const count = options.servers ?? 3;
    for (let attempt = 1; ; attempt++) {
      const ports = await freePorts(2 * count);
      const cluster = new NatsCluster(options, ports.slice(0, count), ports.slice(count));
      try {
        for (const index of ports.slice(0, count).keys()) cluster.start(index);
        await cluster.ready();
        await cluster.#places();
        return cluster;
      } catch (error) {
        cluster.destroy();
        if (attempt === FORMATIONS) throw error;
      }
    }
  }

  private constructor({ programs, maxPayload }: ClusterOptions, ports: number[], routes: number[]) {
    this.#programs = programs ?? ports.map(() => natsProgram());
    this.#dir = mkdtempSync(path.join(os.tmpdir(), 'lars-nats-'));
    process.once('exit', () => this.destroy());
    this.#members = ports.map((port, index) => {
      const name = `n${index}`;
      const dir = path.join(this.#dir, name);
      mkdirSync(dir);
      const lines = [
        `server_name: ${name}`,
        `listen: 127.0.0.1:${port}`,
        `log_file: "${path.join(dir, 'log')}"`,
        ...(maxPayload === undefined ? [] : [`max_payload: ${maxPayload}`]),
        `jetstream { store_dir: "${path.join(dir, 'data')}", max_file_store: 2GB }`,
      ];
      if (routes.length > 1) {
        const others = routes
          .filter((_, other) => other !== index)
          .map((route) => `"nats://127.0.0.1:${route}"`)
          .join(', ');
        lines.push(
          `cluster { name: ${path.basename(this.#dir)}, listen: "127.0.0.1:${routes[index]}", routes: [${others}] }`,
        );
      }
      writeFileSync(path.join(dir, 'conf'), lines.join('\n'));
      return { name, port, dir, child: undefined };
    });
  }

  /** Addresses of all servers. */
  get servers(): string[] {
    return this.#members.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** A connection of the test's own. Takes whichever server is up. */
  async client(servers: string | string[] = this.servers): Promise<NatsConnection> {
    const options = { maxReconnectAttempts: -1, reconnectTimeWait: 100, timeout: 2000 };
    return until(() => connect({ servers, ...options }), { ...START, what: 'a connection' });
  }

  /** JetStream answers on all servers that run. */
  async ready(): Promise<void> {
    for (const { port, name, child } of this.#members)
      if (child) await this.#answer(`127.0.0.1:${port}`, `JetStream on ${name}`, async () => {});
  }

  /** Streams are placed on all servers: of those that are made at once, some of 2.10 take each other for gone for good. */
  async #places(): Promise<void> {
    await this.#answer(
      this.servers,
      'a stream on all servers',
      async ({ streams }) => {
        await streams.add({ name: 'ready', subjects: ['ready'], num_replicas: this.#members.length });
        await streams.delete('ready');
      },
      FORMATION_MS,
    );
  }

  async #answer(
    servers: string | string[],
    what: string,
    ask: (manager: JetStreamManager) => Promise<void>,
    boundMs = START.boundMs,
  ): Promise<void> {
    const client = await this.client(servers);
    try {
      const answered = async () => {
        await ask(await jetstreamManager(client, { timeout: 1000 }));
        return true;
      };
      await until(answered, { boundMs, what });
    } finally {
      await client.close();
    }
  }

  start(index: number): void {
    const member = this.#members[index]!;
    const child = spawn(this.#programs[index]!, ['-c', path.join(member.dir, 'conf')], { stdio: 'ignore' });
    child.once('exit', () => {
      if (member.child === child) member.child = undefined;
    });
    member.child = child;
  }

  /** `kill -9`; resolves when it is gone. */
  async kill9(index: number): Promise<void> {
    const { child } = this.#members[index]!;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** As `kill9`, and its disk is gone: it never comes back. */
  async lose(index: number): Promise<void> {
    await this.kill9(index);
    rmSync(this.#members[index]!.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  /** Indexes of the servers that run. */
  get running(): number[] {
    return [...this.#members.keys()].filter((index) => this.#members[index]!.child);
  }

  pause(index: number): void {
    this.#members[index]!.child?.kill('SIGSTOP');
  }

  resume(index: number): void {
    this.#members[index]!.child?.kill('SIGCONT');
  }

  /** Which server leads a stream, by what the others that run say. */
  async leaderOf(client: NatsConnection, stream: string): Promise<number> {
    const manager = await jetstreamManager(client, { checkAPI: false, timeout: 1000 });
    const leader = async () => {
      const { cluster } = await manager.streams.info(stream);
      return this.#members.find(({ name, child }) => child && name === cluster?.leader);
    };
    return this.#members.indexOf(await until(leader, { ...START, what: `a leader of ${stream}` }));
  }

  /** The last lines that a server has logged. */
  log(index: number): string {
    return readFileSync(path.join(this.#members[index]!.dir, 'log'), 'utf8').slice(-5000);
  }

  /** Kills all servers and removes their data. */
  destroy(): void {
    for (const { child } of this.#members) child?.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Below those that systems give to connections: nobody else takes one before its server does. */
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_000;

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}
