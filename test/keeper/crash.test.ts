import { connect } from 'node:net';
import test from 'ava';
import { until } from '../../src/testing/until.js';
import { BOUND_MS, connectAll, KeptSite, OneTimeAgent } from './site.js';

const callersOf = (agents: readonly OneTimeAgent[]) => agents.map(({ caller }) => caller);

test('a child that is killed with -9 takes no connection along: agents that never reconnect are heard again', async (t) => {
  const site = await KeptSite.start(t);
  const agents = await connectAll(t, site.port, 40);
  for (const agent of agents) await agent.send(agent.frame(1));
  await site.storedAt(callersOf(agents), 1);
  for (let round = 2; round <= 4; round++) {
    const { traffic } = await site.crash();
    await until(async () => (await site.status()).traffic.resumed === 40, { boundMs: BOUND_MS, what: 'all' });
    t.is(traffic.accepted, 0);
    for (const agent of agents) await agent.send(agent.frame(round));
    await site.storedAt(callersOf(agents), round);
  }
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
  const { traffic, pid, keeper } = await site.status();
  t.is(traffic.resumedInFrame, 0);
  t.is(traffic.connections, 40);
  t.is(pid, site.childPid);
  t.is(keeper, site.cli.child.pid!);
  t.is((await site.cli.stop()).code, 0);
  t.is(site.cli.stdout.split('\n').length, 2, 'the ready line is printed once');
});

test('a frame that was half read by a killed child is skipped, and the next one found', async (t) => {
  const site = await KeptSite.start(t);
  const agents = await connectAll(t, site.port, 5);
  for (const agent of agents) await agent.send(agent.frame(1));
  await site.storedAt(callersOf(agents), 1);
  const { bytes } = (await site.status()).traffic;
  const cuts = [1, 6, 8, 20, 40];
  for (const [index, agent] of agents.entries()) await agent.send(agent.frame(2).subarray(0, cuts[index]!));
  const all = cuts.reduce((sum, cut) => sum + cut, bytes);
  await until(async () => (await site.status()).traffic.bytes === all, {
    boundMs: BOUND_MS,
    what: 'halves read',
  });
  await site.crash();
  for (const [index, agent] of agents.entries()) await agent.send(agent.frame(2).subarray(cuts[index]!));
  for (const agent of agents) await agent.send(agent.frame(3));
  await site.storedAt(callersOf(agents), 3);
  const { traffic } = await site.status();
  t.is(traffic.resumedInFrame, 5);
  const lost = agents.reduce((sum, agent, index) => sum + agent.frame(2).length - cuts[index]!, 0);
  t.is(traffic.skippedBytes, lost);
  t.deepEqual(traffic.framesRejected, {
    length: 0,
    undecodable: 0,
    'unknown-id': 0,
    incomplete: 0,
    handler: 0,
  });
  t.deepEqual(
    agents.filter(({ end }) => end !== undefined),
    [],
  );
});

test('a peer that never sent a good frame gets no second look: in the middle of nothing, it is closed', async (t) => {
  const site = await KeptSite.start(t);
  const stranger = await OneTimeAgent.connect(t, site.port, 1);
  await stranger.send(Buffer.from([3, 0, 0, 0]));
  await until(async () => (await site.status()).traffic.bytes === 4, {
    boundMs: BOUND_MS,
    what: 'it is read',
  });
  await site.crash();
  await stranger.send(Buffer.alloc(16, 0xff));
  await until(() => stranger.end !== undefined, { boundMs: BOUND_MS, what: 'the stranger to be closed' });
  t.is((await site.status()).traffic.connections, 0);
});

test('agents that connect while no child reads are heard by the next one', async (t) => {
  const site = await KeptSite.start(t);
  process.kill(site.childPid, 'SIGKILL');
  const agents = await connectAll(t, site.port, 10);
  for (const agent of agents) await agent.send(agent.frame(1));
  await site.storedAt(callersOf(agents), 1);
  // Some were on their way to the one that was killed, which may have read of them.
  const { accepted, resumed, resumedInFrame } = (await site.status()).traffic;
  t.is(accepted + resumed, 10);
  t.is(resumedInFrame, 0);
});

test('a connection that a child ends is over for its peer, and for the keeper', async (t) => {
  const site = await KeptSite.start(t, { LARS_LISTEN_MAX_CONNECTIONS: '2' });
  const [one, two] = await connectAll(t, site.port, 2);
  const third = connect(site.port, '127.0.0.1').on('error', () => {});
  await until(() => third.closed, { boundMs: BOUND_MS, what: 'the third to be refused' });
  await one!.send(Buffer.alloc(16, 0xff));
  await until(() => one!.end !== undefined, { boundMs: BOUND_MS, what: 'what sends garbage to be closed' });
  two!.socket.destroy();
  await until(async () => (await site.status()).traffic.connections === 0, {
    boundMs: BOUND_MS,
    what: 'its end',
  });
  await site.crash();
  await site.logged('reading on where the process before ended');
  t.like((await site.status()).traffic, { connections: 0, resumed: 0 });
});
