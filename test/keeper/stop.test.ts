import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { until } from '../../src/testing/index.js';
import { BOUND_MS, connectAll, KeptSite } from './site.js';

/** A successor is prepared by then; if it is not, the hand-over is given up, and the test sees the same. */
const PREPARED_MS = 4000;

test('a stop while the old process lets go waits for who reads then, which drains', async (t) => {
  const site = await KeptSite.start(t);
  const [agent] = await connectAll(t, site.port, 1);
  await agent!.send(agent!.frame(1));
  await site.storedAt([1], 1);
  const { pid } = await site.status();
  process.kill(pid, 'SIGSTOP');
  await agent!.send(agent!.frame(2));
  site.cli.child.kill('SIGUSR2');
  await until(() => site.cli.childPids.length === 2, { boundMs: BOUND_MS, what: 'a successor' });
  await sleep(PREPARED_MS);
  const exited = site.cli.stop('SIGTERM');
  await sleep(500);
  process.kill(pid, 'SIGCONT');
  const { code, stderr } = await exited;
  t.is(code, 0);
  t.regex(stderr, /stopped; every row is stored/);
  t.is((await site.stored()).get(1), 2);
});
