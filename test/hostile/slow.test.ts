import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { until } from '../../src/testing/until.js';
import { roundOf } from '../../tools/shared/reports.js';
import { BOUND, Siege } from '../../tools/shared/siege.js';
import { tempDir } from '../support/temp.js';

const SLOW = 77;
const slowRows = (siege: Siege) => [...siege.rows.newest.values()].filter(({ caller }) => caller === SLOW);

test.serial(
  'a peer that sends one byte at a time is never closed as long as each of its frames comes in time',
  async (t) => {
    const frameTimeoutMs = 1000;
    const siege = await Siege.start(tempDir(t), { listen: { frameTimeoutMs } });
    t.teardown(() => siege.stop().then(() => undefined));
    const slow = await siege.agent();
    const began = performance.now();
    let round = 0;
    const noticed = await siege.withNeighbour(async () => {
      // The clock is the subject: it goes on for longer than a frame may take.
      while (performance.now() - began < 1.5 * frameTimeoutMs)
        await slow.trickle(encodeReportFrame(roundOf(SLOW, ++round, 1)), { everyMs: 1 });
    });
    t.is(noticed, undefined);
    await until(() => slowRows(siege)[0]?.succ === round, { ...BOUND, what: 'the last frame' });
    t.true(slow.isOpen);
    t.is(siege.traffic.framesRejected.incomplete, 0);
  },
);

test.serial(
  'frames that never end are each counted and closed in time, however many; the neighbour never notices',
  async (t) => {
    const siege = await Siege.start(tempDir(t), { listen: { frameTimeoutMs: 300 } });
    t.teardown(() => siege.stop().then(() => undefined));
    const half = encodeReportFrame(roundOf(SLOW, 1)).subarray(0, 20);
    const noticed = await siege.withNeighbour(async () => {
      const loris = await siege.agents(400);
      await Promise.all(
        loris.map(async (agent, index) => {
          // Some stop at once, others go on trickling into a frame that claims much.
          if (index % 2 === 0) await agent.sendBytes(half);
          else {
            await agent.claim(60_000);
            await agent.trickle(new Uint8Array(60_000), { everyMs: 50 });
          }
          await agent.closed;
        }),
      );
    });
    t.is(noticed, undefined);
    await siege.atRest();
    t.is(siege.traffic.framesRejected.incomplete, 400);
    t.is(siege.warnings.filter(({ kind }) => kind === 'incomplete').length, 1, 'said once per peer');
  },
);

test.serial(
  'the time of a frame does not run while backpressure keeps its socket from being read',
  async (t) => {
    const frameTimeoutMs = 400;
    let isStuck = true;
    const siege = await Siege.start(tempDir(t), {
      listen: { frameTimeoutMs, maxInflightBytes: 100_000 },
      atStep: (step) => {
        if (isStuck && step === 'before-persist') throw new Error('cannot go on');
      },
    });
    t.teardown(() => siege.stop().then(() => undefined));
    const slow = await siege.agent();
    const flood = await siege.agents(4);
    const frame = encodeReportFrame(roundOf(SLOW, 1));
    const full = Buffer.concat(
      Array.from({ length: 2000 }, (_, round) => encodeReportFrame(roundOf(1, round))),
    );
    const before = siege.traffic.bytes;
    await slow.sendBytes(frame.subarray(0, 11));
    await until(() => siege.traffic.bytes === before + 11, {
      ...BOUND,
      what: 'half of the frame to be read',
    });
    const flooding = Promise.all(flood.map((agent) => agent.sendBytes(full)));
    await until(() => siege.reporter.status().inflightBytes > 100_000, { ...BOUND, what: 'all to wait' });
    const stuckAt = performance.now();
    // The clock is the subject: several times what a frame may take.
    await until(() => performance.now() - stuckAt > 3 * frameTimeoutMs, { ...BOUND, what: 'time to pass' });
    t.is(siege.traffic.framesRejected.incomplete, 0);
    isStuck = false;
    await slow.sendBytes(frame.subarray(11));
    await flooding;
    await until(() => slowRows(siege).length === 2, { ...BOUND, what: 'the frame that had to wait' });
    t.is(siege.traffic.framesRejected.incomplete, 0);
    t.true(slow.isOpen);
  },
);

test.serial(
  'a process that stood still does not blame it on agents: what they sent meanwhile is read first, what did not come has its time',
  async (t) => {
    const frameTimeoutMs = 300;
    const siege = await Siege.start(tempDir(t), { listen: { frameTimeoutMs } });
    t.teardown(() => siege.stop().then(() => undefined));
    const cases = [
      { standstillMs: frameTimeoutMs + 200, isSentMeanwhile: true },
      { standstillMs: frameTimeoutMs + 1500, isSentMeanwhile: true },
      { standstillMs: frameTimeoutMs + 1500, isSentMeanwhile: false },
    ];
    for (const [index, { standstillMs, isSentMeanwhile }] of cases.entries()) {
      const slow = await siege.agent();
      const frame = encodeReportFrame(roundOf(SLOW, index + 1));
      const before = siege.traffic.bytes;
      await slow.sendBytes(frame.subarray(0, 11));
      await until(() => siege.traffic.bytes === before + 11, {
        ...BOUND,
        what: 'half of the frame to be read',
      });
      if (isSentMeanwhile) void slow.sendBytes(frame.subarray(11));
      const end = performance.now() + standstillMs;
      while (performance.now() < end);
      if (!isSentMeanwhile) {
        // The network stood still, too.
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
        await slow.sendBytes(frame.subarray(11));
      }
      await until(() => slowRows(siege)[0]?.succ === index + 1, { ...BOUND, what: 'the frame to be stored' });
      t.is(siege.traffic.framesRejected.incomplete, 0, `stood still for ${standstillMs} ms`);
      t.true(slow.isOpen);
    }
  },
);
