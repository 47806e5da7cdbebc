import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  type ConfigInput,
  type Report,
  type Row,
  type StepHook,
  StoreError,
  startReporter,
  type WriterStep,
} from '../../src/index.js';
import type { DeadLetterOutcome, LetterJson } from '../../src/model/dead-letter.js';
import {
  FaultyStore,
  LedgerChecker,
  MemoryStore,
  numberedReport,
  OrderChecker,
  seeded,
  until,
  WRITER_STEPS,
  WriterCrashes,
} from '../../src/testing/index.js';
import { runCli } from '../../tools/shared/process.js';
import { askJson } from '../admin/ask.js';
import { damageJournal, dumpJournal, flipped } from '../journal/dump.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const HOSTS = 5;
const JSON_TYPE = { 'content-type': 'application/json' };

interface SetUp {
  readonly writers?: number;
  readonly atStep?: StepHook;
}

async function setUp(t: ExecutionContext, { writers = 2, atStep }: SetUp = {}) {
  const cwd = tempDir(t);
  const dir = path.join(cwd, 'journal');
  const order = new OrderChecker();
  const store = new FaultyStore();
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: writers, maxBatchRows: 20 },
    journal: { dir },
    supervision: { backoffMs: 1, maxBackoffMs: 5, maxRestarts: 10_000 },
  };
  const start = async (hook?: StepHook) => {
    const started = await startReporter(config, {
      store: order.watch(store),
      ...(hook ? { atStep: hook } : {}),
    });
    t.teardown(() => started.stop());
    return started;
  };
  const reporter = await start(atStep);
  const ledgers = new LedgerChecker(() => reporter.ledger(), 1);
  t.teardown(() => ledgers.stop());
  const take = async (...reports: Report[]) => {
    for (const report of reports) order.sent(report);
    await reporter.report(...reports);
  };
  const settled = () => until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'nothing pending' });
  const replay = (filter: object = { all: true }) =>
    askJson<DeadLetterOutcome & { readonly error?: string }>(t, reporter.admin!, '/api/dead-letters/replay', {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(filter),
    });
  // What operators have: the configuration of the service, and nothing else.
  writeFileSync(
    path.join(cwd, 'config.json'),
    JSON.stringify({ journal: { dir }, admin: { port: reporter.admin!.port } }),
  );
  const cli = (...args: string[]) => runCli(['dead-letters', ...args], { cwd });
  return { cwd, dir, order, store, start, reporter, take, settled, replay, cli, ledgers };
}

const isThird = (row: Row) => row.port === 8002;

function refusing(store: FaultyStore, is: (row: Row) => boolean) {
  store.reject(is, ({ modid }) => new StoreError('poison', modid > 2 ? 'ER_B' : 'ER_A', `bad\n${modid}`));
}

const services = (...numbers: number[]) => numbers.map((number) => numberedReport(number, 9, HOSTS, 1));

for (const state of ['running', 'stopped'] as const) {
  test(`list shows dead letters as a table and as JSON, by any filter, of a ${state} reporter`, async (t) => {
    const { store, take, settled, cli, reporter, dir } = await setUp(t);
    refusing(store, isThird);
    await take(...services(0, 1, 2, 3));
    await settled();
    if (state === 'stopped') await reporter.stop();
    const before = state === 'stopped' ? await dumpJournal(dir) : [];
    const table = await cli('list');
    t.is(table.stderr, '');
    t.is(table.code, 0);
    const lines = table.stdout.trimEnd().split('\n');
    t.regex(lines[0]!, /^modid +cmdid +ip +port +caller +succ +err +overload +count +last +code +message$/);
    t.is(lines.length, 5);
    t.regex(lines[1]!, /^ +1 +1 +192\.168\.0\.3 +8002 +0\.0\.0\.9 +1 +1 +yes +1 +2\S+Z +ER_A +bad 1$/);
    const listed = async (...args: string[]) => {
      const { code, stdout } = await cli('list', '--json', ...args);
      t.is(code, 0);
      const { total, letters } = JSON.parse(stdout) as { total: number; letters: LetterJson[] };
      return [total, letters.map(({ modid }) => modid)] as const;
    };
    t.deepEqual(await listed(), [4, [1, 2, 3, 4]]);
    t.deepEqual(await listed('--modid', '3'), [1, [3]]);
    t.deepEqual(await listed('--modid', '3', '--cmdid', '2'), [0, []]);
    t.deepEqual(await listed('--code', 'ER_B'), [2, [3, 4]]);
    t.deepEqual(await listed('--caller', '0.0.0.9', '--cmdid', '1'), [4, [1, 2, 3, 4]]);
    t.deepEqual(await listed('--caller', '0.0.0.8'), [0, []]);
    t.deepEqual(await listed('--limit', '2', '--offset', '1'), [4, [2, 3]]);
    t.is(
      (await cli('list', '--limit', '3')).stderr,
      '3 of 4 dead letters; --offset and --limit show others\n',
    );
    t.is((await cli('list', '--code', 'X')).stderr, 'there are no such dead letters\n');
    if (state === 'stopped') t.deepEqual(await dumpJournal(dir), before);
  });
}

test('list reads the journal of a stopped reporter, and writes nothing there, not even a lock', async (t) => {
  const { store, take, settled, cli, reporter, dir } = await setUp(t);
  refusing(store, isThird);
  await take(...services(0, 1, 2, 3));
  await settled();
  await reporter.stop();
  for (const name of readdirSync(dir)) if (name.startsWith('lock')) rmSync(path.join(dir, name));
  const before = readdirSync(dir);
  const { code, stdout } = await cli('list', '--json');
  t.is(code, 0);
  t.is((JSON.parse(stdout) as { total: number }).total, 4);
  t.deepEqual(readdirSync(dir), before);
});

test('replay on a running reporter: received again, stored, and no dead letter any more', async (t) => {
  const { order, store, take, settled, cli, reporter, ledgers } = await setUp(t);
  refusing(store, isThird);
  await take(...services(0, 1, 2, 3));
  await settled();
  t.is(reporter.ledger().received, 20);
  const refused = await cli('replay', '--modid', '1');
  t.is(refused.stdout, 'replayed 1 dead letter\n');
  t.is(refused.code, 0);
  await until(() => reporter.ledger().deadLettered === 5, { ...BOUND, what: 'the row to be refused again' });
  t.is(reporter.status().deadLetters, 4);
  store.heal();
  const { stdout } = await cli('replay', '--code', 'ER_B', '--json');
  t.like(JSON.parse(stdout), { replayed: 2, superseded: 0, kept: 0 });
  await settled();
  t.is(store.rows.size, 18);
  t.is(reporter.status().deadLetters, 2);
  t.is((await cli('replay', '--all')).stdout, 'replayed 2 dead letters\n');
  await settled();
  t.is(store.rows.size, 20);
  t.is(reporter.status().deadLetters, 0);
  t.like(reporter.ledger(), { received: 25, upserted: 20, deadLettered: 5, coalesced: 0, balanced: true });
  t.is((await cli('replay', '--all')).stdout, 'replayed 0 dead letters\n');
  t.notThrows(() => order.verify());
  t.notThrows(() => ledgers.verify());
});

test('replay on a stopped reporter: the next start recovers and stores the rows', async (t) => {
  const { store, take, settled, cli, reporter, start } = await setUp(t);
  refusing(store, isThird);
  await take(...services(0, 1, 2, 3));
  await settled();
  await reporter.stop();
  const { code, stdout, stderr } = await cli('replay', '--code', 'ER_A');
  t.is(stderr, '');
  t.is(stdout, 'replayed 2 dead letters; the next start stores what they hold\n');
  t.is(code, 0);
  store.heal();
  const second = await start();
  t.is(second.ledger().recovered, 2);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the rows to be stored' });
  t.is(store.rows.size, 18);
  t.is(second.status().deadLetters, 2);
  t.like(second.ledger(), { received: 0, recovered: 2, upserted: 2, balanced: true });
});

for (const state of ['running', 'stopped'] as const) {
  test(`drop on a ${state} reporter removes what the filter means, for good`, async (t) => {
    const { store, take, settled, cli, reporter, start, ledgers } = await setUp(t);
    refusing(store, isThird);
    await take(...services(0, 1, 2, 3));
    await settled();
    if (state === 'stopped') await reporter.stop();
    t.is((await cli('drop', '--modid', '2')).stdout, 'dropped 1 dead letter\n');
    t.is((await cli('drop', '--caller', '0.0.0.8')).stdout, 'dropped 0 dead letters\n');
    if (state === 'running') {
      t.is(reporter.status().deadLetters, 3);
      await reporter.stop();
    }
    const second = await start();
    t.is(second.status().deadLetters, 3);
    t.is(second.ledger().recovered, 0);
    await second.stop();
    t.deepEqual(JSON.parse((await cli('drop', '--all', '--json')).stdout), {
      replayed: 0,
      superseded: 0,
      dropped: 3,
      kept: 0,
    });
    t.notThrows(() => ledgers.verify());
  });

  test(`a dead letter of which a newer value is pending is removed, not replayed: a ${state} reporter`, async (t) => {
    const { order, store, take, settled, cli, reporter, start, ledgers } = await setUp(t);
    refusing(store, isThird);
    await take(...services(0, 1));
    await settled();
    store.heal();
    store.fail();
    await take(numberedReport(0, 9, HOSTS, 2));
    if (state === 'stopped') await reporter.stop();
    const { stdout } = await cli('replay', '--all');
    t.deepEqual(stdout.trimEnd().split('\n'), [
      `replayed 1 dead letter${state === 'stopped' ? '; the next start stores what they hold' : ''}`,
      'removed 1 dead letter: newer values of their keys are pending',
    ]);
    store.heal();
    await reporter.stop();
    const second = await start();
    await until(() => second.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
    t.is(second.status().deadLetters, 0);
    const stored = [...store.rows.values()].filter(isThird).map(({ modid, succ }) => `${modid}: ${succ}`);
    t.deepEqual(stored.toSorted(), ['1: 2', '2: 1']);
    t.notThrows(() => order.verify());
    t.notThrows(() => ledgers.verify());
  });
}

for (const crashes of [false, true]) {
  const title = crashes ? ', while writers crash at random' : '';
  test(`replays race with re-reports and never move a row backwards${title}; the ledger balances throughout`, async (t) => {
    const random = seeded(crashes ? 5 : 4);
    const crashing = new WriterCrashes();
    if (crashes) {
      const steps = WRITER_STEPS.filter((step) => step !== 'recovery');
      crashing.atRandom({ seed: 5, share: 0.02, steps });
      crashing.atRandom({ seed: 6, share: 0.005, steps: ['recovery'] });
    }
    const { order, store, take, settled, replay, reporter, ledgers } = await setUp(t, {
      atStep: crashing.atStep,
    });
    // Values of odd rounds are refused as a rule, so that each even round meets dead letters of the one before.
    refusing(store, (row) => row.port % 2 === 0 && row.succ % 2 === 1 && random() < 0.7);
    store.atRandom({ seed: 7, slowMs: 3, lose: 0.02 });
    // The store has the newer value, and no checkpoint says so: what a replay must not miss.
    store.after = async () => {
      await sleep(random() * 3);
    };
    const total = { replayed: 0, superseded: 0 };
    const replayOnce = async () => {
      const { status, body } = await replay();
      // A writer that crashed in between may have done it or not.
      t.true(status === 200 || (crashes && status === 503), JSON.stringify(body));
      total.replayed += body.replayed;
      total.superseded += body.superseded;
    };
    const round = (number: number) =>
      take(...[0, 1, 2].map((service) => numberedReport(service, 9, 20, number)));
    const last = 40;
    for (let number = 1; number <= last; number += 2) {
      await round(number);
      await settled();
      const delayed = async (run: () => Promise<void>) => {
        await sleep(random() * 8);
        await run();
      };
      const replays = [replayOnce, replayOnce, replayOnce].map(delayed);
      await Promise.all([delayed(() => round(number + 1)), ...replays]);
    }
    crashing.heal();
    await settled();
    store.heal();
    for (let left = reporter.status().deadLetters; left > 0; left = reporter.status().deadLetters) {
      await replay();
      await settled();
    }
    t.is(order.keys, 60);
    t.notThrows(() => order.verify());
    // Who comes first is up to the machine; that they met at all is what makes this a race.
    t.true(total.replayed + total.superseded > 0, 'replays found dead letters');
    t.true(reporter.ledger().received >= 60 * last + total.replayed);
    t.notThrows(() => ledgers.verify());
  });
}

for (const step of ['before-persist', 'after-persist'] satisfies WriterStep[]) {
  test(`a crash at "${step}" of a replay leaves the dead letter or the row, never both nor neither`, async (t) => {
    const crashes = new WriterCrashes();
    const { order, store, take, settled, replay, reporter, ledgers } = await setUp(t, {
      writers: 1,
      atStep: crashes.atStep,
    });
    refusing(store, isThird);
    await take(...services(0, 1, 2));
    await settled();
    store.heal();
    store.fail();
    crashes.at(step);
    const { status, body } = await replay();
    t.is(status, 503);
    t.regex(body.error!, /^writer 0 has crashed meanwhile/);
    await until(() => reporter.status().writers[0]!.state === 'running', { ...BOUND, what: 'the writer' });
    const isDone = step === 'after-persist';
    t.is(reporter.status().deadLetters, isDone ? 0 : 3);
    t.is(reporter.ledger().pending, isDone ? 3 : 0);
    t.is(reporter.ledger().received, isDone ? 18 : 15);
    t.like((await replay()).body, { replayed: isDone ? 0 : 3, superseded: 0 });
    store.heal();
    await settled();
    t.is(store.rows.size, 15);
    t.notThrows(() => order.verify());
    t.like(reporter.ledger(), { received: 18, upserted: 15, deadLettered: 3, recovered: 0 });
    t.notThrows(() => ledgers.verify());
  });
}

test('dead letters older than what went into quarantine are left: the store may have something newer', async (t) => {
  const { store, take, settled, cli, reporter, dir, start } = await setUp(t, { writers: 1 });
  refusing(store, isThird);
  await take(...services(0));
  await settled();
  store.heal();
  store.fail();
  await take(numberedReport(0, 9, HOSTS, 2));
  await reporter.stop();
  const events = (await dumpJournal(dir)).filter((entry) => entry.startsWith('events'));
  const key = JSON.parse(/\[.*?\]/.exec(events.at(-1)!)![0]) as number[];
  await damageJournal(dir, 'events', key, flipped);

  const damaged = await cli('replay', '--all');
  t.is(damaged.code, 1);
  t.regex(damaged.stderr, /^error: the journal is damaged \(partition 0, record \d+: .*checksum\)/);
  t.is((await cli('list')).code, 0);

  const second = await start();
  t.is(second.status().quarantined, 1);
  await second.stop();
  const { stdout } = await cli('replay', '--all');
  t.regex(
    stdout,
    /^replayed 0 dead letters\nleft 1 dead letter: records that may hold newer values went into quarantine since/,
  );
  t.is((await cli('drop', '--all')).stdout, 'dropped 1 dead letter\n');
});

test('a wrong token, a port nobody answers at, and none at all are told', async (t) => {
  const { cwd, dir, cli } = await setUp(t);
  const file = path.join(cwd, 'config.json');
  writeFileSync(file, JSON.stringify({ journal: { dir }, admin: { port: 1 } }));
  const nobody = await cli('list');
  t.is(
    nobody.stderr,
    `error: the journal ${dir} is in use, but no reporter answers at 127.0.0.1:1 (ECONNREFUSED)\n`,
  );
  t.is(nobody.code, 1);
  writeFileSync(file, JSON.stringify({ journal: { dir }, admin: { port: 0 } }));
  const none = await cli('list');
  t.regex(none.stderr, /^error: the journal is in use, and admin\.port is 0, .*--admin HOST:PORT\n$/);
  t.is(none.code, 2);
  const second = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0, token: 's3cret-ünd' },
      journal: { dir: path.join(cwd, 'second') },
    },
    { store: new MemoryStore() },
  );
  t.teardown(() => second.stop());
  const admin = ['--admin', `127.0.0.1:${second.admin!.port}`];
  const without = await cli('list', ...admin);
  t.regex(without.stderr, /^error: the reporter at 127\.0\.0\.1:\d+ answers 401: needs the header/);
  t.is(without.code, 1);
  const env = { LARS_ADMIN_TOKEN: 's3cret-ünd' };
  const asked = await runCli(['dead-letters', 'list', '--json', ...admin], { cwd, env });
  t.is(asked.stderr, '');
  t.like(JSON.parse(asked.stdout), { total: 0 });
});

test('where there is no journal, there is nothing to list, and none is made', async (t) => {
  const { code, stderr } = await runCli(['dead-letters', 'list'], { cwd: tempDir(t) });
  t.regex(stderr, /^error: there is no journal in /);
  t.is(code, 1);
});

for (const args of [
  ['replay'],
  ['drop'],
  ['drop', '--all', '--modid', '1'],
  ['list', '--caller', 'x'],
  ['list', '--limit', '0'],
  ['purge'],
  [],
]) {
  test(`wrong usage is exit code 2: dead-letters ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runCli(['dead-letters', ...args], { cwd: tempDir(t) });
    t.is(code, 2);
    t.is(stdout, '');
    t.not(stderr, '');
  });
}

for (const tool of ['list', 'replay', 'drop']) {
  test(`dead-letters ${tool} --help names --config and gives an example`, async (t) => {
    const { code, stdout } = await runCli(['dead-letters', tool, '--help']);
    t.is(code, 0);
    t.regex(stdout, /^ {2}--config <file> /m);
    t.regex(stdout, new RegExp(`^Example:\\n  \\$ .*lars-reporter dead-letters ${tool}`, 'm'));
  });
}
