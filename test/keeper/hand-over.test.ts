import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { until } from '../../src/testing/until.js';
import { BOUND_MS, connectAll, KeptSite, type OneTimeAgent } from './site.js';

const callersOf = (agents: readonly OneTimeAgent[]) => agents.map(({ caller }) => caller);

test('a hand-over closes no connection, and half a frame is read on by the new process', async (t) => {
  const site = await KeptSite.start(t);
  const agents = await connectAll(t, site.port, 20);
  for (const agent of agents) await agent.send(agent.frame(1));
  await site.storedAt(callersOf(agents), 1);
  for (let round = 2; round <= 4; round++) {
    const { bytes } = (await site.status()).traffic;
    let sent = 0;
    for (const [index, agent] of agents.entries()) {
      const half = agent.frame(round).subarray(0, 1 + index * 2);
      sent += half.length;
      await agent.send(half);
    }
    const all = bytes + sent;
    await until(async () => (await site.status()).traffic.bytes >= all, {
      boundMs: BOUND_MS,
      what: 'halves read',
    });
    await site.handOver();
    for (const [index, agent] of agents.entries())
      await agent.send(agent.frame(round).subarray(1 + index * 2));
    await site.storedAt(callersOf(agents), round);
    const { traffic, ledger } = await site.status();
    t.like(traffic, { handedOver: 20, resumed: 0, connections: 20, skippedBytes: 0, accepted: 0 });
    t.deepEqual(traffic.framesRejected, {
      length: 0,
      undecodable: 0,
      'unknown-id': 0,
      incomplete: 0,
      handler: 0,
    });
    t.is(ledger.received, 60, 'each row is read once');
    t.true(ledger.balanced);
  }
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
  t.is((await site.cli.stop()).code, 0);
  t.is(site.cli.stdout.split('\n').length, 2, 'the ready line is printed once');
});

test('while agents send, hand-overs lose nothing and read nothing twice', async (t) => {
  const site = await KeptSite.start(t);
  const agents = await connectAll(t, site.port, 8);
  let isOver = false;
  const sending = agents.map(async (agent) => {
    let round = 0;
    while (!isOver) {
      await agent.send(agent.frame(++round, 20));
      await sleep(1);
    }
    return round;
  });
  let received = 0;
  for (let times = 0; times < 4; times++) {
    await until(async () => (await site.ledger()).received > 500, { boundMs: BOUND_MS, what: 'some rows' });
    await site.handOver();
  }
  isOver = true;
  const rounds = await Promise.all(sending);
  const last = await site.ledger();
  for (const line of site.cli.stderr.split('\n')) {
    const found = /"received":(\d+).*handed over; everything/.exec(line);
    received += Number(found?.[1] ?? 0);
  }
  const sent = rounds.reduce((sum, round) => sum + round * 20, 0);
  await until(async () => (await site.ledger()).received + received === sent, {
    boundMs: BOUND_MS,
    what: `${sent} rows to be received, ${received} before and ${last.received} now`,
  });
  for (const [index, agent] of agents.entries()) await site.storedAt([agent.caller], rounds[index]!);
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
});
