import { readFileSync } from 'node:fs';
import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import type { HandledFrame } from '../../src/index.js';
import { frameHeader } from '../../src/testing/frames.js';
import { expectStream } from '../../src/testing/reference.js';
import { until } from '../../src/testing/until.js';
import { HEADER_BYTES } from '../../src/wire/frame.js';
import { roundOf } from '../../tools/shared/reports.js';
import { held, leftBehind } from '../../tools/shared/resources.js';
import { BOUND, Siege } from '../../tools/shared/siege.js';
import { tempDir } from '../support/temp.js';

const ASK = 1;
const ANSWER = 2;

interface SystemSocket {
  readonly localPort: number;
  /** Timer that runs: 0 none, 2 keep-alive. */
  readonly timer: number;
}

const ESTABLISHED = '01';

/** The established connections of this machine, as Linux tells them. */
function systemSockets(): SystemSocket[] {
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, local = '', , state, , timer = ''] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED) return [];
    return [{ localPort: Number.parseInt(local.split(':')[1]!, 16), timer: Number(timer.split(':')[0]) }];
  });
}

test.serial('of a peer that is silent the system asks whether it is still there', async (t) => {
  const siege = await Siege.start(tempDir(t));
  t.teardown(() => siege.stop().then(() => undefined));
  const silent = await siege.agents(3);
  await siege.connections(4);
  for (const agent of silent) agent.vanish();
  const { port } = siege.reporter.address;
  // Of what was sent the system waits for a receipt first.
  const own = () => systemSockets().filter(({ localPort }) => localPort === port);
  await until(() => own().length === 4 && own().every(({ timer }) => timer === 2), {
    ...BOUND,
    what: 'a keep-alive timer on each connection',
  });
  t.pass();
});

test.serial(
  'peers that vanish, whatever they left unfinished, hold no more than their connections',
  async (t) => {
    const siege = await Siege.start(tempDir(t), { listen: { frameTimeoutMs: 200 } });
    t.teardown(() => siege.stop().then(() => undefined));
    const before = held();
    const frame = encodeReportFrame(roundOf(5, 1));
    const noticed = await siege.withNeighbour(async () => {
      const whole = await siege.agents(100);
      const half = await siege.agents(100);
      await Promise.all([
        ...whole.map((agent) => agent.sendBytes(frame)),
        ...half.map((agent) => agent.sendBytes(frame.subarray(0, 30))),
      ]);
      for (const agent of [...whole, ...half]) agent.vanish();
      // Those in mid-frame are closed when its time is up; the others may be silent as long as they like.
      await siege.connections(101);
      t.true(whole.every(({ isOpen }) => isOpen));
      for (const agent of [...whole, ...half]) agent.destroy();
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.framesRejected.incomplete, 100);
    t.is(await leftBehind(before), undefined);
  },
);

test.serial('a peer that closes its sending half is read to its last byte, then closed', async (t) => {
  const siege = await Siege.start(tempDir(t));
  t.teardown(() => siege.stop().then(() => undefined));
  const agent = await siege.agent();
  const frames = Array.from({ length: 3000 }, (_, round) => encodeReportFrame(roundOf(6, round + 1)));
  void agent.sendBytes(Buffer.concat(frames));
  agent.endSending();
  t.is(await agent.closed, 'closed');
  await siege.atRest();
  const own = [...siege.rows.newest.values()].filter(({ caller }) => caller === 6);
  t.deepEqual(
    own.map(({ succ }) => succ),
    [3000, 3000],
  );
});

test.serial('a peer that never reads its replies is closed; replies to others go on', async (t) => {
  const body = new Uint8Array(60_000);
  const siege = await Siege.start(tempDir(t), {
    handlers: { [ASK]: ({ reply }: HandledFrame) => reply(ANSWER, body) },
  });
  t.teardown(() => siege.stop().then(() => undefined));
  const before = held();
  const ask = frameHeader(ASK, 0);
  const asks = Buffer.concat(Array.from({ length: 500 }, () => ask));
  const reader = await siege.agent();
  let answers = 0;
  const noticed = await siege.withNeighbour(async () => {
    for (; answers < 10; answers++) await reader.sendBytes(ask);
    const deaf = await siege.agents(10);
    for (const agent of deaf) agent.stopReading();
    await Promise.all(
      deaf.map(async (agent) => {
        while (await agent.sendBytes(asks));
        await agent.closed;
      }),
    );
  });
  t.is(noticed, undefined);
  for (; answers < 20; answers++) await reader.sendBytes(ask);
  await siege.connections(2);
  t.is(siege.warnings.filter(({ kind }) => kind === 'replies').length, 1, 'said once per peer');
  await until(() => reader.receivedBytes === answers * (HEADER_BYTES + body.length), {
    ...BOUND,
    what: 'each reply to the one that reads',
  });
  t.true(reader.isOpen);
  t.is(expectStream(reader.received(), { handled: [ANSWER] }).frames, answers);
  await reader.close();
  await siege.atRest();
  t.is(await leftBehind(before), undefined);
});

test.serial('a handler that fails on every frame of every connection of a peer is said once', async (t) => {
  const siege = await Siege.start(tempDir(t), {
    handlers: {
      [ASK]: () => {
        throw new Error('always');
      },
    },
  });
  t.teardown(() => siege.stop().then(() => undefined));
  for (let connection = 0; connection < 20; connection++) {
    const agent = await siege.agent();
    await agent.sendBytes(Buffer.concat([frameHeader(ASK, 0), frameHeader(ASK, 0)]));
    await agent.close();
  }
  await siege.atRest();
  t.is(siege.traffic.framesRejected.handler, 40);
  t.is(siege.warnings.filter(({ kind }) => kind === 'handler').length, 1);
});
