import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { runCli, startServe } from '../support/process.js';
import { reportsIn } from '../support/reports.js';
import { tempDir } from '../support/temp.js';

/** Of a reporter that listens anywhere on this machine. */
export const ENV = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };

/** What `--json` prints, as users know it. */
export interface Summary {
  readonly to: { readonly host: string; readonly port: number };
  readonly agents: number;
  readonly services: number;
  readonly hosts: number;
  readonly seed: number;
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
  readonly reconnects: number;
  readonly lost: number;
  readonly reports: number;
  readonly rows: number;
  readonly bytes: number;
  readonly distinctKeys: number;
  readonly reportsPerSecond: number;
  readonly rowsPerSecond: number;
  readonly calls?: { readonly made: number; readonly failed: number; readonly refused: number };
  readonly verify?: {
    readonly equal: boolean;
    readonly matching: number;
    readonly missing: number;
    readonly stale: number;
    readonly wrong: number;
    readonly differences: readonly string[];
    readonly store: string;
    readonly seconds: number;
  };
}

/** A reporter in a folder of its own, and a simulation against it that knows its store. */
export async function serve(t: ExecutionContext, env: NodeJS.ProcessEnv = {}) {
  const cwd = tempDir(t);
  const { cli, ready } = await startServe([], { cwd, env: { ...ENV, ...env } });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const to = `127.0.0.1:${ready.listen.port}`;
  const args = (more: string) => ['simulate', '--to', to, '--verify', ...more.split(' ')];
  return { cwd, cli, port: ready.listen.port, args };
}

/** In the place of a reporter: keeps what it is sent, connection by connection. */
export async function listen(t: ExecutionContext) {
  const sockets: Socket[] = [];
  const chunks: Buffer[][] = [];
  const server = createServer((socket) => {
    const received: Buffer[] = [];
    sockets.push(socket);
    chunks.push(received);
    socket.on('error', () => {}).on('data', (chunk) => received.push(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** The reports of each connection. */
    connections: () => chunks.map((received) => reportsIn(Buffer.concat(received))),
    bytes: () => chunks.flat().reduce((sum, chunk) => sum + chunk.length, 0),
  };
}

/** Simulates against a server that only listens. */
export async function simulate(t: ExecutionContext, args: string) {
  const server = await listen(t);
  const cli = ['simulate', '--to', `127.0.0.1:${server.port}`, '--json', ...args.split(' ')];
  const { code, stdout, stderr } = await runCli(cli, { cwd: tempDir(t) });
  t.notRegex(stderr, /error|warning/);
  t.is(code, 0);
  return { ...server, summary: JSON.parse(stdout) as Summary };
}
