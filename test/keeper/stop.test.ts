import test from 'ava';
import { connectAll, KeptSite } from './site.js';

test('a stop while the old process lets go waits for who reads then, which drains', async (t) => {
  const site = await KeptSite.start(t);
  const [agent] = await connectAll(t, site.port, 1);
  await agent!.send(agent!.frame(1));
  await site.storedAt([1], 1);
  const { pid } = await site.status();
  process.kill(pid, 'SIGSTOP');
  await agent!.send(agent!.frame(2));
  site.cli.child.kill('SIGUSR2');
  await site.logged('the old one lets go');
  const exited = site.cli.stop('SIGTERM');
  await site.logged('the reporter stops when the hand-over is over');
  process.kill(pid, 'SIGCONT');
  const { code, stderr } = await exited;
  t.is(code, 0);
  t.regex(stderr, /stopped; every row is stored/);
  t.is((await site.stored()).get(1), 2);
});
