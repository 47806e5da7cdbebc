import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { formatIpv4, startAgent } from '../../src/client/index.js';
import type { Ledger } from '../../src/index.js';
import { numberedReport, until } from '../../src/testing/index.js';
import {
  decodeRouteResponse,
  encodeFrame,
  encodeRouteRequest,
  FrameDecoder,
  MessageId,
} from '../../src/wire/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
const EXAMPLE = fileURLToPath(new URL('../../../examples/larger-node', import.meta.url));
const MAIN = fileURLToPath(new URL('../../examples/larger-node/main.js', import.meta.url));

interface Line {
  readonly event: string;
  readonly port?: number;
  readonly why?: string;
  readonly services?: number;
}

/** The example as a process, in a folder of its own. */
class Node {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  #stdout = '';
  stderr = '';

  constructor(dir: string, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [MAIN], {
      cwd: dir,
      env: { PATH: process.env['PATH'], NODE_PORT: '0', NODE_HTTP_PORT: '0', ...env },
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Lines of an event. */
  all(event: string): Line[] {
    const lines = this.#stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Line).filter((line) => line.event === event);
  }

  /** The line `count` of an event. */
  async line(event: string, count = 1): Promise<Line> {
    return until(() => this.all(event)[count - 1], {
      ...BOUND,
      what: `${event} ${count}: ${this.#stdout} ${this.stderr}`,
    });
  }

  async get(path: string): Promise<Response> {
    const { port } = await this.line('http-listening');
    return fetch(`http://127.0.0.1:${port}${path}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function siteOf(t: ExecutionContext): string {
  const dir = `${tempDir(t)}/node`;
  mkdirSync(dir);
  copyFileSync(`${EXAMPLE}/routes.json`, `${dir}/routes.json`);
  return dir;
}

function startNode(t: ExecutionContext, dir: string, env?: NodeJS.ProcessEnv): Node {
  const node = new Node(dir, env);
  t.teardown(() => node.kill('SIGKILL'));
  return node;
}

/** Asks for a route as a client of Lars does; gives `address:port`. */
function routeOf(port: number, modid: number, cmdid: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (chunk) =>
      decoder.push(chunk, (_id, bytes, start, end) => {
        const { host } = decodeRouteResponse(bytes.subarray(start, end));
        resolve(host.map((one) => `${formatIpv4(one.ip)}:${one.port}`));
        socket.destroy();
      }),
    );
    socket.write(encodeFrame(MessageId.getRouteRequest, encodeRouteRequest({ modid, cmdid })));
  });
}

test('the node takes reports and answers routes on one port, shows both, and stops with nothing left open', async (t) => {
  const node = startNode(t, siteOf(t));
  const { port } = await node.line('reporter-started');
  await node.line('routes-loaded');
  t.deepEqual(await routeOf(port!, 1, 2), ['10.0.0.1:8080', '10.0.0.2:8080']);
  t.deepEqual(await routeOf(port!, 9, 9), [], 'a service that nobody knows has no hosts');
  const agent = startAgent({ port: port!, host: '127.0.0.1' });
  agent.report(numberedReport(1, 1, 3, 5));
  await agent.close();
  t.regex(await (await node.get('/reporter/')).text(), /<!doctype html>/i);
  await until(
    async () => ((await (await node.get('/reporter/api/ledger')).json()) as Ledger).upserted === 3,
    {
      ...BOUND,
      what: 'the rows to be stored',
    },
  );
  t.regex(await (await node.get('/')).text(), /a Lars node/);
  node.kill('SIGTERM');
  t.is(await node.exited, 0, node.stderr);
  t.is(node.stderr, '');
  t.is(node.all('stopped').length, 1);
});

test('the route service notices that its file is another one, and keeps what it has when that cannot be used', async (t) => {
  const dir = siteOf(t);
  const node = startNode(t, dir);
  const { port } = await node.line('reporter-started');
  await node.line('routes-loaded');
  const put = (content: string) => {
    writeFileSync(`${dir}/next`, content);
    renameSync(`${dir}/next`, `${dir}/routes.json`);
  };
  put('{ "1/2": ["10.0.0.9:90"] }');
  await until(async () => (await routeOf(port!, 1, 2)).join() === '10.0.0.9:90', { ...BOUND, what: 'it' });
  put('{ "1/2": ["nowhere"] }');
  t.regex((await node.line('routes-failed')).why!, /nowhere/);
  t.deepEqual(await routeOf(port!, 1, 2), ['10.0.0.9:90']);
  node.kill('SIGTERM');
  t.is(await node.exited, 0, node.stderr);
});

test('the supervisor restarts a reporter that has ended; agents go on, and the route service never noticed', async (t) => {
  const node = startNode(t, siteOf(t), { NODE_PORT: String(await freePort()) });
  const { port } = await node.line('reporter-started');
  const agent = startAgent({ port: port!, host: '127.0.0.1', pauses: { firstMs: 20, lastMs: 100 } });
  agent.report(numberedReport(1, 1, 3, 5));
  await until(() => agent.counts.sent === 1, { ...BOUND, what: 'the first report to be sent' });
  node.kill('SIGHUP');
  t.is((await node.line('reporter-ended')).why, 'stopped');
  t.is((await node.line('reporter-started', 2)).port, port);
  t.deepEqual(await routeOf(port!, 1, 3), ['10.0.0.3:9000']);
  agent.report(numberedReport(1, 1, 3, 6));
  await agent.close();
  t.is(node.all('routes-loaded').length, 1);
  node.kill('SIGTERM');
  t.is(await node.exited, 0, node.stderr);
});

test('a reporter that cannot start is tried again, and the node can be stopped meanwhile', async (t) => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  );
  t.teardown(() => void taken.close());
  const dir = siteOf(t);
  const node = startNode(t, dir, { NODE_PORT: String(port) });
  t.regex((await node.line('reporter-ended', 2)).why!, /LISTEN_FAILED|cannot listen|in use/i);
  t.is((await node.get('/reporter/')).status, 503);
  taken.close();
  t.is((await node.line('reporter-started')).port, port);
  node.kill('SIGTERM');
  t.is(await node.exited, 0, node.stderr);
  const other = createServer().listen(port, '127.0.0.1');
  t.teardown(() => void other.close());
  const waiting = startNode(t, dir, { NODE_PORT: String(port) });
  await waiting.line('reporter-ended');
  waiting.kill('SIGTERM');
  t.is(await waiting.exited, 0, waiting.stderr);
});

test('a node that is killed and started again loses nothing that was journaled', async (t) => {
  const dir = siteOf(t);
  // Nobody listens there: rows stay in the journal.
  const away = { NODE_STORE: `mysql://lars:lars@127.0.0.1:${await freePort()}/lars` };
  const first = startNode(t, dir, away);
  const { port } = await first.line('reporter-started');
  const agent = startAgent({ port: port!, host: '127.0.0.1' });
  agent.report(numberedReport(1, 1, 3, 5));
  agent.report(numberedReport(2, 1, 4, 5));
  await agent.close();
  const ledgerOf = async (node: Node) => (await (await node.get('/reporter/api/ledger')).json()) as Ledger;
  await until(async () => (await ledgerOf(first)).received === 7, { ...BOUND, what: 'all to be journaled' });
  first.kill('SIGKILL');
  await first.exited;
  const second = startNode(t, dir);
  await second.line('reporter-started');
  await until(async () => (await ledgerOf(second)).upserted === 7, { ...BOUND, what: 'all to be stored' });
  t.like(await ledgerOf(second), { recovered: 7, pending: 0, balanced: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
