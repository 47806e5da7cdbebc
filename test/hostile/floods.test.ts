import test from 'ava';
import { Dice } from '../../src/testing/dice.js';
import { badFrame, frameHeader } from '../../src/testing/frames.js';
import { until } from '../../src/testing/until.js';
import { roundOf } from '../../tools/shared/reports.js';
import { held, heldMore, leftBehind } from '../../tools/shared/resources.js';
import { BOUND, Siege } from '../../tools/shared/siege.js';
import { readLmdb } from '../journal/opened.js';
import { tempDir } from '../support/temp.js';

/** Any of 127.0.0.0/8 is this machine: as many peers as a test wants. */
const addressOf = (index: number) => `127.${2 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255 || 1}`;

/** A siege whose process has opened once what it keeps, so that what is left behind shows. */
async function begin(t: Parameters<typeof tempDir>[0], options: Parameters<typeof Siege.start>[1] = {}) {
  const dir = tempDir(t);
  await (await Siege.start(`${dir}/first`)).stop();
  const siege = await Siege.start(`${dir}/journal`, options);
  t.teardown(() => siege.stop().then(() => undefined));
  return { siege, dir: `${dir}/journal` };
}

test.serial(
  'thousands of connections that say nothing keep nobody from reporting, and leave nothing behind',
  async (t) => {
    const { siege } = await begin(t);
    const before = held();
    const noticed = await siege.withNeighbour(async () => {
      const silent = await siege.agents(3000);
      await siege.connections(3001);
      t.is(siege.traffic.accepted, 3001);
      for (const agent of silent) agent.destroy();
      await siege.connections(1);
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(await leftBehind(before), undefined);
    t.deepEqual(siege.warnings, []);
  },
);

test.serial(
  'storms of connections that are reset at once, in mid-frame or in mid-stream leave nothing behind',
  async (t) => {
    const { siege } = await begin(t);
    const before = held();
    const sent = [
      new Uint8Array(0),
      badFrame().subarray(0, 5),
      badFrame(),
      frameHeader(3, -1),
      new Uint8Array(70_000),
    ];
    const noticed = await siege.withNeighbour(async () => {
      for (let wave = 0; wave < 15; wave++) {
        const agents = await siege.agents(100);
        await Promise.all(
          agents.map(async (agent, index) => {
            void agent.sendBytes(sent[index % sent.length]!);
            await agent.reset();
          }),
        );
      }
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.accepted, 1501);
    t.is(await leftBehind(before), undefined);
  },
);

test.serial(
  'connections beyond listen.maxConnections are refused and counted one by one; those there go on, and room that comes free is given',
  async (t) => {
    const { siege } = await begin(t, { listen: { maxConnections: 51 } });
    const inside = await siege.agents(50);
    await siege.connections(51);
    /** The reset may come before the agent knows that it was connected, or after. */
    const refused = () =>
      siege.agent().then(
        (agent) => agent.closed,
        (error: Error) => t.regex(error.message, /ECONNRESET/),
      );
    const noticed = await siege.withNeighbour(async () => {
      for (let round = 0; round < 7; round++) await Promise.all(Array.from({ length: 100 }, refused));
    });
    t.is(noticed, undefined);
    t.deepEqual([siege.traffic.refused, siege.traffic.accepted, siege.traffic.connections], [700, 51, 51]);
    t.true(inside.every(({ isOpen }) => isOpen));
    t.is(siege.warnings.filter(({ kind }) => kind === 'refused').length, 1, 'said once per peer');
    await inside[0]!.close();
    await siege.connections(50);
    const newcomer = await siege.agent();
    await newcomer.send(roundOf(1, 1));
    await until(() => siege.rows.newest.size === 5, { ...BOUND, what: 'the report of the newcomer' });
  },
);

test.serial('headers that claim 65,527 bytes cost what was sent and not what is claimed', async (t) => {
  const { siege } = await begin(t);
  const connections = 2000;
  const small = Buffer.concat([frameHeader(3, 65_527), new Uint8Array(20)]);
  const before = process.memoryUsage();
  const bytesBefore = siege.traffic.bytes;
  const claiming = await siege.agents(connections);
  await Promise.all(claiming.map((agent) => agent.sendBytes(small)));
  await until(() => siege.traffic.bytes - bytesBefore === connections * small.length, {
    ...BOUND,
    what: 'all headers to be read',
  });
  const after = process.memoryUsage();
  t.is(siege.traffic.connections, connections + 1);
  const keptEach = (after.arrayBuffers - before.arrayBuffers) / connections;
  t.true(keptEach < 2048, `${keptEach} bytes are kept for ${small.length} that arrived`);
  // Both ends of each connection are in this process.
  const residentEach = (after.rss - before.rss) / connections;
  t.true(residentEach < 40_000, `${residentEach} bytes resident a connection`);
  for (const agent of claiming) agent.destroy();
  await siege.atRest();
  t.is(siege.traffic.framesRejected.incomplete, connections);
});

test.serial(
  'a flood of garbage from thousands of addresses: the neighbour never notices, the log and the journal stay small',
  async (t) => {
    const peers = 2500;
    const { siege, dir } = await begin(t);
    const before = held();
    const dice = new Dice(1);
    const noticed = await siege.withNeighbour(async () => {
      for (let from = 0; from < peers; from += 100) {
        const agents = await siege.agents(100, (index) => ({ localAddress: addressOf(from + index) }));
        await Promise.all(
          agents.map(async (agent) => {
            // The first header of each claims an impossible length.
            await agent.sendBytes(Buffer.concat([frameHeader(3, -1), dice.bytes(5000)]));
            await agent.closed;
          }),
        );
      }
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.framesRejected.length, peers);
    t.true(siege.warnings.length <= 2000, `${siege.warnings.length} lines`);
    t.is(await leftBehind(before), undefined);
    await siege.stop();
    const reader = readLmdb(dir);
    const { peerCount } = reader;
    await reader.close();
    t.true(peerCount <= 2, `${peerCount} peers are kept of ${peers} that sent nothing worth keeping`);
  },
);

test.serial(
  'garbage without end on one connection after the other costs a frame each, and never a row',
  async (t) => {
    const { siege } = await begin(t);
    const dice = new Dice(2);
    const garbage = Buffer.concat([frameHeader(3, 0x7fffffff), dice.bytes(300_000)]);
    const received = siege.reporter.ledger().received;
    const { neighbourRounds } = siege;
    const noticed = await siege.withNeighbour(async () => {
      for (let wave = 0; wave < 5; wave++) {
        const agents = await siege.agents(20);
        await Promise.all(
          agents.map(async (agent) => {
            while (await agent.sendBytes(garbage));
            await agent.closed;
          }),
        );
      }
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.framesRejected.length, 100);
    t.is(siege.reporter.ledger().received - received, (siege.neighbourRounds - neighbourRounds) * 3);
  },
);

test.serial(
  'frames of nothing, by the hundred thousand, are counted and cost nobody else anything',
  async (t) => {
    const { siege } = await begin(t);
    const frames = 8192;
    const empty = Buffer.concat(Array.from({ length: frames }, () => frameHeader(3, 0)));
    const unknown = Buffer.concat(Array.from({ length: frames }, () => frameHeader(9, 0)));
    const noticed = await siege.withNeighbour(async () => {
      const agents = await siege.agents(20);
      await Promise.all(
        agents.map(async (agent, index) => {
          await agent.sendBytes(index % 2 === 0 ? empty : unknown);
          await agent.close();
        }),
      );
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.emptyReports, 10 * frames);
    t.is(siege.traffic.framesRejected['unknown-id'], 10 * frames);
  },
);

test.serial('what a process holds is seen by these tests', async (t) => {
  const before = held();
  const { siege } = await begin(t);
  await siege.agents(3);
  t.regex(heldMore(before) ?? '', /open files more/);
  t.regex(heldMore(before) ?? '', /TCPSocketWrap more/);
  await siege.stop();
  t.is(await leftBehind(before), undefined);
});
