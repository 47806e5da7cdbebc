import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { connectAll, KeptSite } from './site.js';

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
