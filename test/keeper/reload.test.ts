import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '../../src/testing/index.js';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { BOUND_MS, connectAll, KeptSite } from './site.js';

async function configured(t: ExecutionContext, keeper = true) {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'config.json');
  const write = (config: object) =>
    writeFileSync(file, JSON.stringify({ keeper: { enabled: keeper }, ...config }));
  write({});
  const site = await KeptSite.start(t, {}, cwd);
  const admin = ['--admin', `127.0.0.1:${site.adminPort}`];
  const reload = () => runCli(['reload', ...admin], { cwd });
  const diff = async () => (await runCli(['check', '--diff', ...admin], { cwd })).stderr;
  return { site, write, reload, diff };
}

test('what can change in place does: no new process, and the new value holds', async (t) => {
  const { site, write, reload, diff } = await configured(t);
  const { pid } = await site.status();
  write({ log: { level: 'warn' }, listen: { maxBadFrames: 1 } });
  t.regex(await diff(), /log\.level has changed: in place\nreload: everything would change in place/);
  const { code, stdout } = await reload();
  t.is(code, 0);
  t.is(stdout, 'listen.maxBadFrames has changed\nlog.level has changed\nchanged in place\n');
  t.is((await site.status()).pid, pid);
  t.is((await reload()).stdout, 'nothing has changed\n');
  const logged = site.cli.stderr.length;
  await site.status();
  t.is(site.cli.stderr.length, logged, 'level info is not logged any more');
});

test('limits, time-outs, the view and names change in place: the same process goes by the new values', async (t) => {
  const { site, write, reload, diff } = await configured(t);
  const { pid } = await site.status();
  const agents = await connectAll(t, site.port, 3);
  for (const agent of agents) await agent.send(agent.frame(1));
  await site.storedAt([1, 2, 3], 1);
  const config = {
    listen: { maxConnections: 3, maxInflightBytes: 1_000_000 },
    store: { connectTimeoutMs: 4000, queryTimeoutMs: 9000 },
    view: { freshS: 30, holdS: 40, errorShare: 0.2, minCalls: 1, hideS: 800, forgetS: 80_000, maxRows: 5000 },
    names: { [`${1 + (1 % 100)}`]: 'first service' },
  };
  write(config);
  const said = await diff();
  t.regex(said, /reload: everything would change in place/);
  const { code, stdout } = await reload();
  t.is(code, 0);
  t.regex(stdout, /changed in place\n$/);
  t.is(stdout.split('\n').filter((line) => line.endsWith(' has changed')).length, 12);
  for (const line of stdout.split('\n').filter((line) => line.endsWith(' has changed')))
    t.true(said.includes(`${line}: in place`), line);
  t.is((await site.status()).pid, pid);
  // The fourth connection is one too many now.
  const [fourth] = await connectAll(t, site.port, 1);
  await until(() => fourth!.end !== undefined, { boundMs: BOUND_MS, what: 'the connection to be refused' });
  t.is((await site.status()).traffic.connections, 3);
  await until(
    async () => {
      const { services } = await site.ask<{ services: { name: string | null }[] }>('/api/services');
      return services.some(({ name }) => name === 'first service');
    },
    { boundMs: BOUND_MS, what: 'the name in the view' },
  );
  const metrics = await (await fetch(`http://127.0.0.1:${site.adminPort}/metrics`)).text();
  t.regex(metrics, /^lars_reporter_connections_limit 3$/m);
  t.regex(metrics, /^lars_reporter_inflight_limit_bytes 1000000$/m);
  // More are taken again.
  write({ ...config, listen: { maxConnections: 100 } });
  t.is((await reload()).code, 0);
  const [fifth] = await connectAll(t, site.port, 1);
  await until(async () => (await site.status()).traffic.connections === 4, {
    boundMs: BOUND_MS,
    what: 'another connection',
  });
  t.is(fifth!.end, undefined);
  t.is((await site.status()).pid, pid);
});

test('a view that is switched off or on needs another process', async (t) => {
  const { write, diff } = await configured(t);
  write({ view: { enabled: false, holdS: 70 } });
  const said = await diff();
  t.regex(said, /view\.enabled has changed: by a hand-over/);
  t.regex(said, /view\.holdS has changed: in place/);
});

test('a changed token opens the admin HTTP from the reload on, the old one does not', async (t) => {
  const { site, write } = await configured(t);
  write({ admin: { token: 'open sesame' } });
  t.like(await site.ask('/api/reload', { method: 'POST' }), { outcome: 'in-place' });
  t.like(await site.ask('/api/ledger'), {
    error: 'needs the header "Authorization: Bearer TOKEN", with admin.token',
  });
  const headers = { authorization: 'Bearer open sesame' };
  t.like(await site.ask('/api/ledger', { headers }), { balanced: true });
});

test('what cannot change in place goes through a hand-over, with every connection', async (t) => {
  const { site, write, reload, diff } = await configured(t);
  const agents = await connectAll(t, site.port, 5);
  for (const agent of agents) await agent.send(agent.frame(1));
  write({ writers: { count: 2 } });
  t.regex(
    await diff(),
    /writers\.count has changed: by a hand-over.*\nreload: a new process would take over/,
  );
  const { code, stdout } = await reload();
  t.is(code, 0);
  t.regex(stdout, /^writers\.count has changed\na new process has taken over: \d+\n$/);
  for (const agent of agents) await agent.send(agent.frame(2));
  await site.storedAt(
    agents.map(({ caller }) => caller),
    2,
  );
  const { writers, traffic } = await site.status();
  t.is(writers.length, 2);
  t.is(traffic.connections, 5);
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
});

test('SIGHUP reads the configuration again, where nobody is at the terminal', async (t) => {
  const { site, write } = await configured(t);
  const { pid } = await site.status();
  write({ writers: { count: 3 } });
  site.cli.child.kill('SIGHUP');
  t.is((await site.successor(pid)).writers.length, 3);
});

for (const keeper of [true, false])
  test(`a bad file changes nothing and names the key, ${keeper ? 'with' : 'without'} a keeper`, async (t) => {
    const { site, write, reload } = await configured(t, keeper);
    const { pid } = await site.status();
    write({ writers: { count: 0 } });
    const { code, stderr } = await reload();
    t.is(code, 2);
    t.regex(stderr, /writers\.count = 0: expected an integer from 1 to 1024/);
    t.like(await site.ask('/api/reload', { method: 'POST' }), { outcome: 'invalid' });
    site.cli.child.kill('SIGHUP');
    await site.logged('the configuration was not taken; nothing has changed');
    const status = await site.status();
    t.is(status.pid, pid);
    t.is(status.writers.length, 4);
  });

test('without a keeper, what needs a new process is refused, and says so', async (t) => {
  const { write, reload } = await configured(t, false);
  write({ writers: { count: 2 }, log: { level: 'warn' } });
  const { code, stderr } = await reload();
  t.is(code, 1);
  t.regex(stderr, /only a restart changes writers\.count/);
});
