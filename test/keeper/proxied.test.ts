import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import { numberedReport, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { BOUND_MS, KeptSite, OneTimeAgent } from './site.js';

const PEER = '10.1.2.3';
const CALLER = 0x0a010203;
const HEADER = Buffer.from(`PROXY TCP4 ${PEER} 127.0.0.1 40000 7779\r\n`);
/** Bytes from one cut of the header to the next. */
const STEP = 25;
const BEHIND_A_BALANCER = { proxyFrom: ['127.0.0.1'], verifyCaller: 'reject' };

async function configured(t: ExecutionContext, listen: object) {
  const cwd = tempDir(t);
  const write = (section: object) =>
    writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ listen: section }));
  write(listen);
  return { site: await KeptSite.start(t, {}, cwd), write };
}

/** The `round`th report of the peer. */
const frame = (round: number) => encodeReportFrame({ ...numberedReport(1, 1, 1, round), caller: CALLER });

test('whom a balancer speaks for is known after hand-overs and kills, and a header that is cut in half is read on', async (t) => {
  const { site } = await configured(t, BEHIND_A_BALANCER);
  const agent = await OneTimeAgent.connect(t, site.port, CALLER);
  for (let cut = 1; cut < HEADER.length; cut += STEP) {
    // A new one each time, so that each header is cut elsewhere.
    const half = await OneTimeAgent.connect(t, site.port, CALLER);
    await half.send(HEADER.subarray(0, cut));
    if (cut === 1) await agent.send(Buffer.concat([HEADER, frame(1)]));
    await site.storedAt([CALLER], cut);
    await site.handOver();
    await half.send(Buffer.concat([HEADER.subarray(cut), frame(cut + 1)]));
    await site.storedAt([CALLER], cut + 1);
    await agent.send(frame(cut + STEP));
    await site.storedAt([CALLER], cut + STEP);
    t.is(half.end, undefined);
  }
  const next = 1 + STEP * Math.ceil((HEADER.length - 1) / STEP);
  for (let round = next + 1; round < next + 2; round++) {
    await site.crash();
    await agent.send(frame(round));
    await site.storedAt([CALLER], round);
  }
  const { traffic, ledger } = await site.status();
  t.is(traffic.foreignCallers, 0, 'the peer, and not its balancer, is held against the caller');
  t.is(traffic.denied['proxy-header'], 0);
  t.true(ledger.balanced);
  t.is(agent.end, undefined);
});

test('who may not send any more after a reload is closed, counted, and the others go on', async (t) => {
  const { site, write } = await configured(t, BEHIND_A_BALANCER);
  const [stays, goes] = [
    await OneTimeAgent.connect(t, site.port, 1),
    await OneTimeAgent.connect(t, site.port, 2),
  ];
  await stays.send(Buffer.concat([HEADER, frame(1)]));
  await goes.send(Buffer.from('PROXY TCP4 10.66.0.1 127.0.0.1 40000 7779\r\n'));
  const { pid } = await until(
    async () => {
      const status = await site.status();
      return status.traffic.connections === 2 && status;
    },
    { boundMs: BOUND_MS, what: 'both to be let in' },
  );
  write({ ...BEHIND_A_BALANCER, deny: ['10.66.0.0/16'] });
  t.like(await site.ask('/api/reload', { method: 'POST' }), { outcome: 'in-place' });
  await until(() => goes.end !== undefined, { boundMs: BOUND_MS, what: 'it to be closed' });
  await stays.send(frame(2));
  await site.storedAt([CALLER], 2);
  const status = await site.status();
  t.is(status.pid, pid);
  t.is(status.traffic.denied['rules-changed'], 1);
  t.is(stays.end, undefined);
});

test('what is no block is refused by a reload, with its key, and changes nothing', async (t) => {
  const { site, write } = await configured(t, {});
  write({ deny: ['10.66.0.0/40'] });
  const outcome = await site.ask<{ outcome: string; error: string }>('/api/reload', { method: 'POST' });
  t.is(outcome.outcome, 'invalid');
  t.regex(outcome.error, /listen\.deny.*10\.66\.0\.0\/40/s);
});
