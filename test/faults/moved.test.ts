import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type Reporter, startReporter } from '../../src/index.js';
import { FaultyStore, numberedReport, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
/** Statements that a writer sends without a checkpoint are fewer. */
const STATEMENTS = 10;
const ROWS = 10;

async function setUp(t: ExecutionContext, store?: FaultyStore) {
  const dir = tempDir(t);
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: 2, maxBatchRows: ROWS },
    journal: { dir: `${dir}/journal` },
    store: { url: `embedded:${dir}/store` },
    shutdown: { drainMs: 100 },
  };
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  const start = async () => {
    const reporter = await startReporter(config, {
      ...(store ? { store } : {}),
      logger: { debug: say, info: say, warn: say, error: say },
    });
    t.teardown(() => reporter.stop());
    return reporter;
  };
  const report = (reporter: Reporter, service: number, succ = 1) =>
    reporter.report(numberedReport(service, 9, ROWS, succ));
  const readyz = (reporter: Reporter) => fetch(`http://127.0.0.1:${reporter.admin!.port}/readyz`);
  const moved = (reporter: Reporter) =>
    until(() => reporter.status().journalError, { ...BOUND, what: 'it to be said' });
  const drained = (reporter: Reporter) =>
    until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'all to be stored' });
  return { dir, said, start, report, readyz, moved, drained };
}

test('a journal that is moved away: nothing new is acknowledged, what is pending is stored, and all goes on when it is back', async (t) => {
  const store = new FaultyStore();
  store.fail();
  const { dir, said, start, report, readyz, moved, drained } = await setUp(t, store);
  const reporter = await start();
  for (let service = 1; service <= 2 * STATEMENTS; service++) await report(reporter, service);
  renameSync(`${dir}/journal`, `${dir}/elsewhere`);
  t.regex(await moved(reporter), /journal\/data\.mdb was moved or deleted.*move it back/, 'without a report');
  t.is((await readyz(reporter)).status, 503);
  t.is(said.filter((line) => line.includes('agents wait')).length, 1);

  const acknowledged: number[] = [];
  const reports = [1, 2].map((service) =>
    report(reporter, service, 2).then(() => void acknowledged.push(service)),
  );
  store.heal();
  await drained(reporter);
  t.is(store.rows.size, 2 * STATEMENTS * ROWS, 'however many statements it takes');
  t.deepEqual(acknowledged, []);
  t.true(reporter.ledger().balanced);

  renameSync(`${dir}/elsewhere`, `${dir}/journal`);
  await Promise.all(reports);
  await until(() => reporter.status().journalError === undefined, { ...BOUND, what: 'it to go on' });
  t.is((await readyz(reporter)).status, 200);
  await drained(reporter);
  t.true(reporter.ledger().balanced);
});

test('a journal that is deleted can be copied from the process that has it open, as the message says, with all that is pending', async (t) => {
  const store = new FaultyStore();
  store.fail();
  const { dir, start, report, moved, drained } = await setUp(t, store);
  const first = await start();
  for (let service = 1; service <= 4; service++) await report(first, service);
  rmSync(`${dir}/journal`, { recursive: true });
  const [, copy] = /copy (\/proc\/\S+)/.exec(await moved(first)) ?? [];
  mkdirSync(`${dir}/journal`);
  copyFileSync(copy!, `${dir}/journal/data.mdb`);
  await first.stop();

  const second = await start();
  t.is(second.ledger().recovered, 4 * ROWS);
  store.heal();
  await drained(second);
  t.is(store.rows.size, 4 * ROWS);
});

test('an embedded store that is moved away: its rows stay pending, and are stored when it is back', async (t) => {
  const { dir, start, report, drained } = await setUp(t);
  const reporter = await start();
  await report(reporter, 1);
  await drained(reporter);
  renameSync(`${dir}/store`, `${dir}/elsewhere`);
  await report(reporter, 1, 2);
  const state = () => reporter.status().writers.find(({ store }) => store.state !== 'ok')?.store;
  const failing = await until(state, { ...BOUND, what: 'the store to be failing' });
  t.regex(JSON.stringify(failing), /store\/data\.mdb was moved or deleted/);
  t.is(reporter.ledger().pending, ROWS);
  renameSync(`${dir}/elsewhere`, `${dir}/store`);
  await drained(reporter);
  t.is(state(), undefined);
});
