import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Report, type Reporter, startReporter } from '../../src/index.js';
import { openStore } from '../../src/store/open.js';
import { until } from '../../src/testing/index.js';
import { type DatabaseServer, startServer } from '../../tools/shared/database-server.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { askJson } from '../admin/ask.js';
import { collect } from '../store/collect.js';
import { makeDatabase } from '../store/databases.js';
import { batch, row } from '../support/rows.js';
import { tempDir } from '../support/temp.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const BOUND = { boundMs: 60_000 };
const DAY_S = 86_400;
const now = () => Math.floor(Date.now() / 1000);
const HOSTS = 200;

function reportOf(caller: number, ts: number, succ = 1): Report {
  const results = Array.from({ length: HOSTS }, (_, ip) => ({ ip, port: 80, succ, err: 0, overload: false }));
  return { modid: 1, cmdid: 2, caller, ts, results };
}

async function start(t: ExecutionContext, url: string): Promise<Reporter> {
  const reporter = await startReporter({
    ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } },
    ...{ journal: { dir: `${tempDir(t)}/journal` }, store: { url } },
  });
  t.teardown(() => reporter.stop());
  return reporter;
}

const stored = (reporter: Reporter) =>
  until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'all to be stored' });

async function forget(t: ExecutionContext, url: string, admin: number | undefined, ...args: string[]) {
  const env = {
    LARS_STORE_URL: url,
    LARS_ADMIN_PORT: `${admin ?? 1}`,
    LARS_JOURNAL_DIR: `${tempDir(t)}/journal`,
  };
  return runCli(['forget', ...args], { env, cwd: tempDir(t) });
}

test('rows that were reported long ago go, those of today stay; --dry-run only counts', async (t) => {
  const url = db.url(await makeDatabase(db));
  const reporter = await start(t, url);
  await reporter.report(reportOf(9, now()));
  await stored(reporter);
  const store = openStore(url);
  const writer = store.writer({ partition: 0, partitions: 1, journalId: t.title });
  await writer.upsert(
    batch([row({ caller: 1, ts: now() - 31 * DAY_S }), row({ caller: 2, ts: now() - 29 * DAY_S })]),
  );
  await writer.close();

  const counted = await forget(t, url, reporter.admin!.port, '--before', '30d', '--dry-run');
  t.is(counted.code, 0, counted.stderr);
  t.regex(
    counted.stdout,
    /^1 of 202 rows were last reported before 20.*nothing was removed \(--dry-run\)\n$/,
  );
  t.is((await collect(store)).length, HOSTS + 2);
  const done = await forget(t, url, reporter.admin!.port, '--before', '30d', '--json');
  t.like(JSON.parse(done.stdout), { looked: HOSTS + 2, old: 1, removed: 1, dryRun: false, keptCallers: 0 });
  t.is((await collect(store)).length, HOSTS + 1);
});

test('what waits for the database in a running reporter is in the table afterwards, whether its old row went or not', async (t) => {
  const database = await makeDatabase(db);
  const url = db.url(database);
  const reporter = await start(t, url);
  await reporter.report(reportOf(9, now() - 40 * DAY_S), reportOf(8, now() - 40 * DAY_S));
  await stored(reporter);
  const session = await db.session(database);
  // New rows of the keys of one caller wait for the database.
  await session.query('LOCK TABLES ServerCallStatus READ');
  await reporter.report(reportOf(9, now(), 2));
  await until(() => reporter.ledger().pending >= HOSTS, { ...BOUND, what: 'them to wait' });
  const forgetting = forget(t, url, undefined, '--before', '30d', '--json');
  await session.query('UNLOCK TABLES');
  await session.end();
  const { code, stderr, stdout } = await forgetting;
  t.is(code, 0, stderr);
  await stored(reporter);
  const rows = await collect(openStore(url));
  t.deepEqual([...new Set(rows.map(({ caller, succ }) => `${caller} ${succ}`))], ['9 2'], stdout);
  t.is(rows.length, HOSTS);
});

test('beside a reporter whose agents report all the time nothing that was reported is missing', async (t) => {
  const url = db.url(await makeDatabase(db));
  const reporter = await start(t, url);
  await reporter.report(reportOf(9, now() - 40 * DAY_S), reportOf(8, now() - 40 * DAY_S));
  await stored(reporter);
  let isOver = false;
  let succ = 1;
  const reporting = (async () => {
    while (!isOver) await reporter.report(reportOf(9, now(), ++succ));
  })();
  const { code, stderr } = await forget(t, url, undefined, '--before', '1d');
  isOver = true;
  await reporting;
  t.is(code, 0, stderr);
  await stored(reporter);
  const rows = await collect(openStore(url));
  t.is(rows.length, HOSTS);
  t.true(rows.every((one) => one.caller === 9 && one.succ === succ));
  t.true(reporter.ledger().balanced);
});

test('rows of a caller that reports, and whose clock is far behind, stay', async (t) => {
  const url = db.url(await makeDatabase(db));
  const reporter = await start(t, url);
  const { port } = reporter.admin!;
  const slow = 0x0a090001;
  // As many reports as a judgement on a clock takes.
  const isKnown = async () => {
    await reporter.report(reportOf(slow, now() - 400 * DAY_S));
    const { body } = await askJson<{ total: number }>(t, reporter.admin!, '/api/callers?skewed=true');
    return body.total === 1;
  };
  await until(isKnown, { ...BOUND, what: 'the clock to be known' });
  await stored(reporter);
  const { code, stderr, stdout } = await forget(t, url, port, '--before', '30d');
  t.is(code, 0, stderr);
  t.regex(stderr, /^kept: rows of 10\.9\.0\.1, whose clock is 9600 h behind$/m);
  t.regex(stdout, /^0 of 200 rows removed/);
  t.is((await collect(openStore(url))).length, HOSTS);

  const blind = await forget(t, url, undefined, '--before', '30d', '--dry-run');
  t.regex(
    blind.stderr,
    /no reporter answers at 127\.0\.0\.1:1: the ages of rows are taken by the clocks of agents/,
  );
  t.regex(blind.stdout, /^200 of 200 rows/);
});

test('an embedded store forgets when its reporter is stopped, and not before', async (t) => {
  const dir = tempDir(t);
  const env = {
    LARS_STORE_URL: `embedded:${path.join(dir, 'store')}`,
    LARS_JOURNAL_DIR: path.join(dir, 'journal'),
    ...{ LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0', LARS_LISTEN_HOST: '127.0.0.1' },
  };
  const { cli, ready } = await startServe([], { env });
  t.teardown(() => cli.stop());
  const to = `127.0.0.1:${ready.listen.port}`;
  const send = [
    'send',
    '--to',
    to,
    '--modid',
    '1',
    '--cmdid',
    '2',
    '--caller',
    '10.0.0.9',
    '--host',
    '10.0.0.1:80',
  ];
  for (const extra of [[], ['--ts', `${now() - 40 * DAY_S}`, '--cmdid', '3']])
    t.is((await runCli([...send, ...extra], { env })).code, 0);
  const running = await runCli(['forget', '--before', '30d'], { env });
  t.is(running.code, 2);
  t.regex(running.stderr, /an embedded store has one writer, and its reporter runs: stop it first/);
  await cli.stop();
  const { code, stdout, stderr } = await runCli(['forget', '--before', '30d'], { env });
  t.is(code, 0, stderr);
  t.regex(stdout, /^1 of 2 rows removed/);
});

for (const [age, says] of [
  ['30', /Expected an age of a day or more/],
  ['1h', /Expected an age of a day or more/],
  ['0d', /Expected an age of a day or more/],
  ['-3d', /Expected an age of a day or more/],
] as const)
  test(`forget --before ${age} is refused`, async (t) => {
    const { code, stderr } = await runCli(['forget', `--before=${age}`], { cwd: tempDir(t) });
    t.is(code, 2);
    t.regex(stderr, says);
  });

test('forget without --before is refused: nothing is removed by mistake', async (t) => {
  const { code, stderr } = await runCli(['forget'], { cwd: tempDir(t) });
  t.is(code, 2);
  t.regex(stderr, /required option '--before <age>'/);
});
