import test from 'ava';
import { until } from '../../src/testing/until.js';
import { startServe } from '../../tools/shared/process.js';
import { BOUND_MS, connectAll, KeptSite } from './site.js';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('when the keeper is killed, the child journals what it read and ends; the next serve waits for it and stores it', async (t) => {
  // The store is away: what was read is in the journal, or nowhere.
  const away = { LARS_STORE_URL: 'mysql://lars:x@127.0.0.1:1/lars' };
  const site = await KeptSite.start(t, away);
  const [agent] = await connectAll(t, site.port, 1);
  await agent!.send(agent!.frame(7));
  await until(async () => (await site.status()).traffic.reports === 1, {
    boundMs: BOUND_MS,
    what: 'it is read',
  });
  const child = site.childPid;
  t.teardown(() => {
    if (isRunning(child)) process.kill(child, 'SIGKILL');
  });
  const begun = performance.now();
  site.cli.child.kill('SIGKILL');
  const ended = until(() => !isRunning(child), { boundMs: BOUND_MS, what: 'the child to end' });
  const starting = startServe([], {
    cwd: site.cwd,
    env: {
      LARS_LISTEN_HOST: '127.0.0.1',
      LARS_LISTEN_PORT: String(site.port),
      LARS_ADMIN_PORT: String(site.adminPort),
    },
  });
  const [next] = await Promise.all([starting, ended]);
  t.teardown(async () => void (await next.cli.stop('SIGKILL')));
  await site.cli.exited;
  // Five seconds, and what a busy machine adds.
  t.true(performance.now() - begun < 5000 + BOUND_MS);
  await site.storedAt([1], 7);
  t.is((await next.cli.stop()).code, 0);
});

test('a child that is ended by a signal of its own passes it on: the reporter drains', async (t) => {
  const site = await KeptSite.start(t);
  process.kill(site.childPid, 'SIGTERM');
  t.is((await site.cli.exited).code, 0);
});
