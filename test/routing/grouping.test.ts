import test, { type ExecutionContext } from 'ava';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import type { WriterMessage } from '../../src/routing/protocol.js';
import { spawnRouter } from '../../src/routing/router.js';
import { spawn, startSystem, stop, tell } from '../../src/runtime/actors.js';
import { until } from '../../src/testing/until.js';
import { pack } from '../model/samples.js';

const LANES = 4;
const BOUND = { boundMs: 5000 };
/** Nothing that a test sees can have waited for it. */
const FOR_EVER_MS = 3_600_000;

/** A router and writers that journal everything at once. */
function startSite(t: ExecutionContext, groupMs: number) {
  const system = startSystem();
  t.teardown(() => stop(system));
  const events = { emit: (event: { readonly type: string }) => t.fail(event.type) };
  const router = spawnRouter(system, { writers: LANES, groupMs, events });
  const batches: { readonly rows: number; readonly atMs: number }[] = [];
  for (let partition = 0; partition < LANES; partition++) {
    const writer = spawn<WriterMessage>(system, {
      name: `writer-${partition}`,
      receive: (message) => {
        if (message.kind !== 'batch') return;
        const { id: batchId, rows } = message.batch;
        batches.push({ rows: rows.length / WORDS_PER_ROW, atMs: performance.now() });
        tell(router.ref, { kind: 'journaled', partition, batchId });
      },
      onCrash: () => 'resume',
    });
    router.connect(partition, writer);
    tell(router.ref, { kind: 'ready', partition, batchId: 0 });
  }
  let journaled = 0;
  return {
    router,
    batches,
    journaled: () => journaled,
    /** One row of each of these services. */
    send: (modids: readonly number[], isAwaited = false) => {
      const rows = pack(...modids.map((modid) => ({ modid, cmdid: 1 })));
      const buffer = new RowBuffer(modids.length);
      buffer.append(rows, 0, rows.length);
      router.inbox.offer(buffer.rows(), { outstanding: 0, isAwaited, settled: () => void journaled++ });
    },
  };
}

/** A first report goes on at once; what comes behind it waits. */
async function startBusy(t: ExecutionContext, groupMs: number) {
  const site = startSite(t, groupMs);
  site.send([0]);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first report' });
  return site;
}

test('the first report after a quiet moment goes on at once, the ones behind it together, when their time has come', async (t) => {
  const groupMs = 400;
  const beganMs = performance.now();
  const site = await startBusy(t, groupMs);
  for (let report = 0; report < 5; report++) site.send([1, 2, 3, 4, 5, 6, 7, 8]);
  await new Promise(setImmediate);
  t.is(site.journaled(), 1);
  await until(() => site.journaled() === 6, { ...BOUND, what: 'the others' });
  const [, ...others] = site.batches;
  t.true(others.length <= LANES, 'one batch a writer');
  t.is(
    others.reduce((sum, { rows }) => sum + rows, 0),
    8,
  );
  // A timer may come a millisecond early.
  t.true(others.every(({ atMs }) => atMs - beganMs >= groupMs - 2));
  t.true(others.at(-1)!.atMs - others[0]!.atMs < groupMs, 'all writers get theirs at one time');
});

test('a sender that sends no more until its rows are journaled waits for nobody, nor do the rows before its own', async (t) => {
  const site = await startBusy(t, FOR_EVER_MS);
  site.send([1, 2, 3, 4, 5, 6, 7, 8]);
  site.send([1], true);
  await until(() => site.journaled() === 3, { ...BOUND, what: 'both' });
  t.is(site.router.waitingRows, 0);
});

test('a batch that is full does not wait', async (t) => {
  const site = await startBusy(t, FOR_EVER_MS);
  const rows = 17_000;
  const words = pack(...Array.from({ length: rows }, (_, ip) => ({ modid: 1, cmdid: 1, ip })));
  for (let from = 0; from < rows; from += 1000) {
    const buffer = new RowBuffer(1000);
    buffer.append(words, from * WORDS_PER_ROW, (from + 1000) * WORDS_PER_ROW);
    site.router.inbox.offer(buffer.rows(), { outstanding: 0, isAwaited: false, settled: () => {} });
  }
  await until(() => site.batches.some((batch) => batch.rows > 16_000), { ...BOUND, what: 'the full batch' });
  t.pass();
});

test('when the reporter drains, nothing waits any more', async (t) => {
  const site = await startBusy(t, FOR_EVER_MS);
  site.send([1, 2, 3]);
  await new Promise(setImmediate);
  site.router.endWaits();
  await until(() => site.journaled() === 2, { ...BOUND, what: 'what waited' });
  site.send([4]);
  await until(() => site.journaled() === 3, { ...BOUND, what: 'what came later' });
  t.is(site.router.waitingRows, 0);
});

test('with 0 milliseconds every report goes on as soon as its writer is free', async (t) => {
  const site = await startBusy(t, 0);
  site.send([1]);
  await until(() => site.journaled() === 2, { ...BOUND, what: 'the second' });
  t.is(site.batches.length, 2);
});
