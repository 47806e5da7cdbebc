import { createRequire } from 'node:module';
import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import type { ActorRef, HandledFrame } from '../../src/index.js';
import { HANDLER_LIMITS } from '../../src/intake/handler-load.js';
import { frameHeader, paddedFrame } from '../../src/testing/frames.js';
import { until } from '../../src/testing/until.js';
import { roundOf } from '../../tools/shared/reports.js';
import { BOUND, Siege } from '../../tools/shared/siege.js';
import { tempDir } from '../support/temp.js';

const ASK = 1;

interface HostNact {
  start(): ActorRef<never>;
  stop(ref: ActorRef<never>): void;
  spawn(parent: ActorRef<never>, f: () => Promise<void>, name: string): ActorRef<HandledFrame>;
}
const nact = createRequire(import.meta.url)('nact') as HostNact;

const many = (frame: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => frame));
const asks = many(frameHeader(ASK, 0), 4096);

test.serial(
  'a handler that never ends holds up nobody else, and its own connection for a while',
  async (t) => {
    t.timeout(60_000);
    let began = 0;
    const siege = await Siege.start(tempDir(t), {
      // So little that a hundred connections that wait would use it up.
      listen: { maxInflightBytes: 1_048_576 },
      handlers: {
        [ASK]: () => {
          began++;
          return new Promise<void>(() => {});
        },
      },
    });
    t.teardown(() => siege.stop().then(() => undefined));
    const agents = await siege.agents(30);
    // Four times what a connection is read ahead.
    const long = many(Buffer.concat([frameHeader(ASK, 56), Buffer.alloc(56)]), 4096);
    const reportOf = (agent: number) => encodeReportFrame(roundOf(100 + agent, 1));
    const noticed = await siege.withNeighbour(async () => {
      // More than its window: it is not read on.
      for (const [index, agent] of agents.entries())
        void agent.sendBytes(Buffer.concat([long, reportOf(index)]));
      // Each is read as far as its own window lets it, and nobody waits for the memory of all.
      await until(() => began >= 30_000, {
        boundMs: HANDLER_LIMITS.waitMs - 1000,
        what: 'frames of each to be with the handler',
      });
    });
    t.is(noticed, undefined);
    await until(() => siege.reporter.status().inflightBytes === 0, {
      ...BOUND,
      what: 'nobody to wait for memory that is with handlers',
    });
    const stored = () => new Set([...siege.rows.newest.values()].map(({ caller }) => caller));
    await until(() => agents.every((_, index) => stored().has(100 + index)), {
      ...BOUND,
      what: 'the reports behind the frames',
    });
    t.is(siege.warnings.filter(({ kind }) => kind === 'handler-slow').length, 1, 'said once of a peer');
    await Promise.all(agents.map((agent) => agent.close()));
    await siege.atRest();
  },
);

test.serial(
  'a flood to an actor that does not come up with it is bounded; what is too much is dropped and counted',
  async (t) => {
    const host = nact.start();
    t.teardown(() => nact.stop(host));
    let handled = 0;
    let goOn: () => void = () => {};
    const blocked = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const actor = nact.spawn(
      host,
      async () => {
        await blocked;
        handled++;
      },
      'slow',
    );
    const siege = await Siege.start(tempDir(t), { handlers: { [ASK]: actor } });
    t.teardown(() => siege.stop().then(() => undefined));
    const agent = await siege.agent();
    const noticed = await siege.withNeighbour(async () => {
      for (let sent = 0; sent < HANDLER_LIMITS.maxFrames + 10 * 4096; sent += 4096)
        await agent.sendBytes(asks);
      await until(() => siege.traffic.framesRejected.handler > 0, { ...BOUND, what: 'frames to be dropped' });
    });
    t.is(noticed, undefined);
    await agent.close();
    await siege.atRest();
    const dropped = siege.traffic.framesRejected.handler;
    const given = HANDLER_LIMITS.maxFrames + 10 * 4096 - dropped;
    // One that it is at is not in its mailbox.
    t.true(given - HANDLER_LIMITS.maxFrames <= 1 && given >= HANDLER_LIMITS.maxFrames, `${given}`);
    goOn();
    await until(() => handled === given, { ...BOUND, what: 'it to handle what it was given' });
  },
);

test.serial('what only resembles a promise may do as it likes', async (t) => {
  const alike = (then: (done: () => void) => void) => Object.fromEntries([['then', then]]);
  const answers: unknown[] = [
    alike(() => {
      throw new Error('a bug of the host');
    }),
    alike((done) => {
      done();
      done();
    }),
  ];
  const siege = await Siege.start(tempDir(t), {
    handlers: { [ASK]: () => answers.shift() as Promise<void> },
  });
  t.teardown(() => siege.stop().then(() => undefined));
  const [agent] = await siege.agents(1);
  await agent!.sendBytes(many(frameHeader(ASK, 0), 3));
  await agent!.sendBytes(encodeReportFrame(roundOf(100, 1)));
  await until(() => siege.traffic.framesRejected.handler === 1, {
    ...BOUND,
    what: 'the failure to be counted',
  });
  await until(() => siege.traffic.reports === 1, { ...BOUND, what: 'the report behind them' });
  t.is(answers.length, 0);
  await agent!.close();
  await siege.atRest();
});

test.serial('of bodies, too, no more than the bound is with a handler', async (t) => {
  let held = 0;
  const siege = await Siege.start(tempDir(t), {
    handlers: {
      [ASK]: ({ body }: HandledFrame) => {
        held += body.length;
        return new Promise<void>(() => {});
      },
    },
  });
  t.teardown(() => siege.stop().then(() => undefined));
  const body = paddedFrame(roundOf(6, 1)).subarray(8);
  const frame = Buffer.concat([frameHeader(ASK, body.length), body]);
  const agents = await siege.agents(Math.ceil(HANDLER_LIMITS.maxBytes / body.length / 2) + 20);
  for (const agent of agents) void agent.sendBytes(many(frame, 3));
  await until(() => siege.traffic.framesRejected.handler > 0, { ...BOUND, what: 'frames to be dropped' });
  t.true(held <= HANDLER_LIMITS.maxBytes);
  await Promise.all(agents.map((agent) => agent.close()));
});
