import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { LedgerChecker, seeded } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { connectAll, KeptSite } from './site.js';

const AGENTS = 60;
const EVENTS = 9;
const HOSTS = 30;

test('hand-overs, kills of the child and reloads at random moments: every agent stays connected, every key stands at the last thing sent', async (t) => {
  const seed = Math.floor(Math.random() * 0x1_0000_0000);
  t.log(`seed ${seed}`);
  const random = seeded(seed);
  const cwd = tempDir(t);
  const write = (config: object) => writeFileSync(path.join(cwd, 'config.json'), JSON.stringify(config));
  write({});
  const site = await KeptSite.start(t, {}, cwd);
  const ledgers = new LedgerChecker(() => site.ledger(), 20);
  const agents = await connectAll(t, site.port, AGENTS);
  // What a peer has sent before the first kill makes it one that is trusted.
  for (const agent of agents) await agent.send(agent.frame(1, HOSTS));
  await site.storedAt(
    agents.map(({ caller }) => caller),
    1,
  );
  let isOver = false;
  const sending = agents.map(async (agent) => {
    let round = 1;
    while (!isOver) {
      const frame = agent.frame(++round, HOSTS);
      const cut = Math.floor(random() * frame.length);
      await agent.send(frame.subarray(0, cut));
      await sleep(random() * 30);
      await agent.send(frame.subarray(cut));
      await sleep(random() * 10);
    }
    return round;
  });
  for (let event = 0; event < EVENTS; event++) {
    await sleep(random() * 300);
    if (event % 3 === 0) await site.handOver();
    else if (event % 3 === 1) await site.crash();
    else {
      const { pid } = await site.status();
      write({ writers: { count: 1 + Math.floor(event / 3) } });
      site.cli.child.kill('SIGHUP');
      await site.successor(pid);
    }
  }
  isOver = true;
  const rounds = await Promise.all(sending);
  // As agents do at their next change: each key once more.
  for (const [index, agent] of agents.entries()) await agent.send(agent.frame(rounds[index]! + 1, HOSTS));
  for (const [index, agent] of agents.entries()) await site.storedAt([agent.caller], rounds[index]! + 1);
  await ledgers.stop();
  t.deepEqual(ledgers.unbalanced, []);
  t.true(ledgers.samples > 0);
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
  t.is((await site.status()).traffic.connections, AGENTS);
  t.is((await site.cli.stop()).code, 0);
});
