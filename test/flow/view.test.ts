import { existsSync, readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { connectAgent } from '../../src/client/index.js';
import { type ConfigInput, type Report, type ReporterStatus, startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport, until, WriterCrashes } from '../../src/testing/index.js';
import { startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };

const config = (t: ExecutionContext, view: ConfigInput['view'] = {}): ConfigInput => ({
  listen: { host: '127.0.0.1', port: 0 },
  admin: { port: 0 },
  writers: { count: 2 },
  journal: { dir: `${tempDir(t)}/journal` },
  supervision: { backoffMs: 1 },
  view,
});

const now = () => Math.floor(Date.now() / 1000);
const reportOf = (caller: number, change: Partial<Report> = {}): Report => ({
  ...{ modid: 4242, cmdid: 17, caller, ts: now() },
  results: [{ ip: 0x0a020007, port: 80, succ: 30, err: 0, overload: false }],
  ...change,
});

test('what comes over sockets is in the view: who reports, who is quiet, who is gone', async (t) => {
  const reporter = await startReporter(config(t, { freshS: 1 }), { store: new MemoryStore() });
  t.teardown(() => reporter.stop());
  const callers = () => reporter.status().view.counts?.callers;
  const agents = await Promise.all([1, 2].map(() => connectAgent({ ...reporter.address })));
  t.teardown(() => {
    for (const agent of agents) agent.destroy();
  });
  // Named by where they come from: both are one machine.
  for (const agent of agents) await agent.send(reportOf(0x7f000101));
  await until(() => callers()?.reporting === 1, { ...BOUND, what: 'it to report' });
  await until(() => callers()?.connected === 1, { ...BOUND, what: 'it to be quiet' });
  t.is(reporter.status().view.counts?.services.ok, 1, 'no calls are no trouble');
  agents[0]!.destroy();
  await until(() => reporter.status().traffic.connections === 1, { ...BOUND, what: 'one to be closed' });
  t.is(callers()?.connected, 1, 'the other connection is open');
  agents[1]!.destroy();
  await until(() => callers()?.gone === 1, { ...BOUND, what: 'it to be gone' });
});

test('what a writer journals when it crashes is in the view', async (t) => {
  const crashes = new WriterCrashes();
  const store = new MemoryStore();
  const reporter = await startReporter(config(t), { store, atStep: crashes.atStep });
  t.teardown(() => reporter.stop());
  const view = () => reporter.status().view;
  await until(() => view().state === 'live', { ...BOUND, what: 'the view to be up' });
  crashes.at('after-persist', { times: 1 });
  await reporter.report({ ...numberedReport(1, 1, 6, 1), ts: now() });
  t.is(crashes.count, 1);
  t.true(view().behindS >= 0);
  await until(() => view().counts?.rows === 6, { ...BOUND, what: 'its rows to be in the view' });
  await until(() => view().behindS === 0, { ...BOUND, what: 'the view to say that it has all' });
});

test('a view that is switched off costs nothing, and the rest goes on', async (t) => {
  const store = new MemoryStore();
  const settings = config(t, { enabled: false });
  const reporter = await startReporter(settings, { store });
  t.teardown(() => reporter.stop());
  await reporter.report(numberedReport(1, 1, 6, 1));
  await until(() => store.rows.size === 6, { ...BOUND, what: 'the rows to be stored' });
  t.deepEqual(reporter.status().view, {
    ...{ state: 'off', behindS: 0, droppedRows: 0, restarts: 0, counts: undefined },
    history: { state: 'off', why: null, bytes: 0 },
  });
  await reporter.stop();
  t.false(existsSync(`${settings.journal!.dir}/voices.json`));
});

test('after a kill with -9 the list is back, as from the table, and the agents that have to be restarted are known', async (t) => {
  const dir = tempDir(t);
  const env = {
    LARS_STORE_URL: `embedded:${dir}/store`,
    LARS_JOURNAL_DIR: `${dir}/journal`,
    LARS_LISTEN_HOST: '127.0.0.1',
    LARS_LISTEN_PORT: '0',
    LARS_ADMIN_PORT: '0',
  };
  const start = async () => {
    const { cli, ready } = await startServe([], { env, cwd: dir });
    t.teardown(() => cli.child.kill('SIGKILL'));
    const view = async () => {
      const answer = await fetch(`http://127.0.0.1:${ready.admin!.port}/api/status`);
      return ((await answer.json()) as ReporterStatus).view;
    };
    return { cli, view, port: ready.listen.port };
  };
  const first = await start();
  const agent = await connectAgent({ host: '127.0.0.1', port: first.port });
  for (const caller of [1, 2, 3]) await agent.send(reportOf(0x0a090000 + caller, { ts: now() - 3600 }));
  const file = `${dir}/journal/voices.json`;
  await until(() => readFileSync(file, 'utf8').includes('10.9.0.3'), { ...BOUND, what: 'them to be kept' });
  await first.cli.stop('SIGKILL');
  agent.destroy();

  const second = await start();
  await until(async () => (await second.view()).counts?.rows === 3, {
    boundMs: 5000,
    what: 'the list to be back',
  });
  await until(async () => (await second.view()).state === 'live', { ...BOUND, what: 'all to be read' });
  const { counts } = await second.view();
  t.is(counts?.lostAtStart, 3);
  t.like(counts?.callers, { gone: 3, reporting: 0 });
  const back = await connectAgent({ host: '127.0.0.1', port: second.port });
  await back.send(reportOf(0x0a090001));
  await until(async () => (await second.view()).counts?.callers.reporting === 1, { ...BOUND, what: 'one' });
  t.is((await second.view()).counts?.lostAtStart, 2);
  await back.close();
  t.is((await second.cli.stop()).code, 0);
});
