import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir } from '../support/temp.js';
import { connectAll, KeptSite } from './site.js';

async function configured(t: ExecutionContext) {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'config.json');
  const write = (config: object) => writeFileSync(file, JSON.stringify(config));
  write({});
  const site = await KeptSite.start(t, {}, cwd);
  const [agent] = await connectAll(t, site.port, 1);
  await agent!.send(agent!.frame(1));
  await site.storedAt([1], 1);
  return { site, agent: agent!, write, file };
}

const REASONS = {
  'a configuration that is unusable': { writers: { count: 'many' } },
  'a store that is not there, and a log that says less': {
    store: { url: 'mysql://lars:x@127.0.0.1:1/lars' },
    // The keeper's lines are as the process wants it that reads.
    log: { level: 'error' },
  },
};

for (const [what, config] of Object.entries(REASONS))
  test(`a successor with ${what} changes nothing: the old process goes on, and the log says why`, async (t) => {
    const { site, agent, write } = await configured(t);
    const { pid } = await site.status();
    await agent.send(agent.frame(2).subarray(0, 9));
    write(config);
    site.cli.child.kill('SIGUSR2');
    await site.logged('no hand-over; the process that reads goes on');
    await agent.send(agent.frame(2).subarray(9));
    await site.storedAt([1], 2);
    const { pid: after, traffic } = await site.status();
    t.is(after, pid);
    t.like(traffic, { accepted: 1, reports: 2 });
    t.is(agent.end, undefined);
  });

test('a successor that fails when the old process has let go gives everything back', async (t) => {
  const { site, agent, write } = await configured(t);
  const { pid } = await site.status();
  await agent.send(agent.frame(2).subarray(0, 9));
  // A journal that cannot be opened shows only when the old one is closed.
  const blocked = path.join(site.cwd, 'blocked');
  writeFileSync(blocked, 'no folder');
  write({ journal: { dir: blocked } });
  site.cli.child.kill('SIGUSR2');
  await site.logged('no hand-over; the process that reads goes on');
  await agent.send(agent.frame(2).subarray(9));
  await site.storedAt([1], 2);
  t.is((await site.status()).pid, pid);
  t.like((await site.status()).traffic, { handedOver: 1, resumed: 0, skippedBytes: 0 });
  t.is(agent.end, undefined);
  rmSync(blocked);
  write({});
  t.not((await site.handOver()).pid, pid, 'the next one can take over');
  await agent.send(agent.frame(3));
  await site.storedAt([1], 3);
});
