import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, partitionOf, type Report, StoreError, startReporter } from '../../src/index.js';
import { FaultyStore, numberedReport, until } from '../../src/testing/index.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { damageJournal, dumpJournal, flipped } from '../journal/dump.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const HOSTS = 5;
const WRITERS = 2;

/** The journal of a reporter that was stopped with rows pending and one dead letter. */
async function stoppedJournal(t: ExecutionContext, services = [1, 2, 3, 4]) {
  const dir = path.join(tempDir(t), 'journal');
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: WRITERS },
    journal: { dir },
  };
  const store = new FaultyStore();
  const reporter = await startReporter(config, { store });
  t.teardown(() => reporter.stop());
  const take = (...reports: Report[]) => reporter.report(...reports);
  store.fail(new StoreError('poison', 'ER_REFUSED', 'no, "never"'));
  await take(numberedReport(9, 77, 1, 1));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the dead letter' });
  store.heal();
  store.fail();
  for (const service of services) await take(numberedReport(service, 9, HOSTS, 7));
  const { ledger } = reporter.status();
  await reporter.stop();
  return { dir, config, store, pending: ledger.pending };
}

interface Inspected {
  readonly format: number;
  readonly id: string;
  readonly layout: object;
  readonly deadLetters: number;
  readonly quarantine: number;
  readonly peers: number;
  readonly partitions: readonly {
    readonly partition: number;
    readonly records: { count: number; bytes: number; first: number | null; last: number | null };
    readonly pending: number;
    readonly oldestPendingSince: string | null;
    readonly damaged: number;
  }[];
}

test('inspect tells what a stopped journal holds, by partition, and changes nothing', async (t) => {
  const { dir, pending } = await stoppedJournal(t);
  const before = await dumpJournal(dir);
  const { code, stdout, stderr } = await runCli(['journal', 'inspect', '--dir', dir, '--json']);
  t.is(stderr, '');
  t.is(code, 0);
  const found = JSON.parse(stdout) as Inspected;
  t.like(found, {
    format: 1,
    layout: { epoch: 1, writers: WRITERS },
    deadLetters: 1,
    quarantine: 0,
    peers: 1,
  });
  t.regex(found.id, /^[0-9a-f]{16}$/);
  const services = [1, 2, 3, 4].map((service) => partitionOf(1 + service, 1, WRITERS));
  for (const { partition, records, ...rest } of found.partitions) {
    const own = services.filter((one) => one === partition).length;
    t.is(rest.pending, own * HOSTS);
    t.is(rest.damaged, 0);
    t.true(records.count >= own);
    if (own > 0) t.true(Math.abs(Date.parse(rest.oldestPendingSince!) - Date.now()) < 60_000);
  }
  const table = await runCli(['journal', 'inspect', '--dir', dir]);
  t.is(table.code, 0);
  t.regex(table.stdout, new RegExp(`^pending +${pending} rows$`, 'm'));
  t.regex(table.stdout, /^partition +head .* pending +waiting since +damaged$/m);
  t.deepEqual(await dumpJournal(dir), before);
});

test('verify reads a sound journal, says so, and changes nothing; the next start finds it as it was', async (t) => {
  const { dir, config, store, pending } = await stoppedJournal(t);
  const before = await dumpJournal(dir);
  const { code, stdout, stderr } = await runCli(['journal', 'verify', '--dir', dir]);
  t.is(stderr, '');
  t.regex(
    stdout,
    new RegExp(`is sound: 2 partitions, \\d+ records, ${pending} pending rows, 1 dead letters`),
  );
  t.is(code, 0);
  t.deepEqual(await dumpJournal(dir), before);
  store.heal();
  const second = await startReporter(config, { store });
  t.teardown(() => second.stop());
  t.is(second.ledger().recovered, pending);
});

interface Verified {
  readonly sound: boolean;
  readonly problems: readonly { readonly place: string; readonly problem: string }[];
}

async function verify(t: ExecutionContext, dir: string): Promise<Verified> {
  const before = await dumpJournal(dir);
  const { code, stdout, stderr } = await runCli(['journal', 'verify', '--dir', dir, '--json']);
  t.is(stderr, '');
  const verified = JSON.parse(stdout) as Verified;
  t.is(code, verified.sound ? 0 : 1);
  t.deepEqual(await dumpJournal(dir), before, 'nothing was changed');
  return verified;
}

test('a damaged record shows in verify with its place, and nothing is changed', async (t) => {
  const { dir, pending } = await stoppedJournal(t);
  const key = (await damageJournal(dir, 'events', undefined, flipped)) as number[];
  const { problems } = await verify(t, dir);
  t.is(problems.length, 1);
  t.is(problems[0]!.place, `partition ${key[1]}, record ${key[2]}`);
  t.regex(problems[0]!.problem, /checksum/);

  const text = await runCli(['journal', 'verify', '--dir', dir]);
  t.is(text.code, 1);
  t.is(text.stdout, `${problems[0]!.place}: ${problems[0]!.problem}\n`);
  t.regex(text.stderr, /^error: the journal .* has 1 problem; /);

  const inspect = await runCli(['journal', 'inspect', '--dir', dir]);
  t.is(inspect.code, 0);
  t.regex(inspect.stderr, /^warning: part of the journal is damaged/);

  const rows = await runCli(['journal', 'export', '--dir', dir]);
  t.is(rows.code, 1, 'what is exported is not all');
  t.regex(rows.stderr, /^error: partition .* record .*checksum/);
  t.true(rows.stdout.trimEnd().split('\n').length < pending);
});

test('a record that is missing shows in verify', async (t) => {
  const { dir } = await stoppedJournal(t, [1, 1, 1]);
  const partition = partitionOf(2, 1, WRITERS);
  const dump = await dumpJournal(dir);
  const sequences = dump
    .map((entry) => /^events \[1,(\d+),(\d+)\]/.exec(entry))
    .filter((match) => match && Number(match[1]) === partition)
    .map((match) => Number(match![2]));
  await damageJournal(dir, 'events', [1, partition, sequences[1]!], () => undefined);
  const { problems } = await verify(t, dir);
  t.deepEqual(problems, [
    {
      place: `partition ${partition}, record ${sequences[2]}`,
      problem: `follows record ${sequences[0]}: what was between them is missing`,
    },
  ]);
});

test('a damaged or missing piece of a snapshot, a head and a dead letter that are none show in verify', async (t) => {
  const { dir, config, store, pending } = await stoppedJournal(t);
  // A change of the layout leaves everything in snapshots.
  const second = await startReporter({ ...config, writers: { count: 1 } }, { store });
  await second.stop();
  t.is((await verify(t, dir)).sound, true);
  const inspected = await runCli(['journal', 'inspect', '--dir', dir, '--json']);
  t.is((JSON.parse(inspected.stdout) as Inspected).partitions[0]!.pending, pending);
  const piece = await damageJournal(dir, 'snapshots', undefined, flipped);
  const place = `partition 0, snapshot ${(piece as number[])[2]}, piece 0`;
  t.like((await verify(t, dir)).problems, [{ place }]);
  await damageJournal(dir, 'snapshots', piece, () => undefined);
  t.deepEqual((await verify(t, dir)).problems, [{ place, problem: 'is missing' }]);
  await damageJournal(dir, 'heads', undefined, () => Buffer.from('{"sequence":-1}'));
  t.like((await verify(t, dir)).problems, [{ place: 'partition 0, head' }]);
  await damageJournal(dir, 'dead-letters', undefined, () => Buffer.from('{}'));
  t.regex((await verify(t, dir)).problems.at(-1)!.place, /^dead letter 10\/1\//);
  await damageJournal(dir, 'dead-letters', undefined, () => Buffer.from('{'));
  t.like((await verify(t, dir)).problems.at(-1), { place: 'dead letters' });
});

interface Exported {
  readonly modid: number;
  readonly cmdid: number;
  readonly ip: string;
  readonly succ: number;
  readonly peer: string;
  readonly rows: readonly Exported[] | null;
  readonly bytes: string;
}

async function exported(t: ExecutionContext, dir: string, ...args: string[]): Promise<Exported[]> {
  const { code, stdout, stderr } = await runCli(['journal', 'export', '--dir', dir, ...args]);
  t.is(stderr, '');
  t.is(code, 0);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Exported);
}

test('export writes pending rows as JSON lines or CSV, all or those of a service, and changes nothing', async (t) => {
  const { dir, pending } = await stoppedJournal(t);
  const before = await dumpJournal(dir);
  const rows = await exported(t, dir);
  t.is(rows.length, pending);
  t.true(rows.every(({ succ, peer }) => succ === 7 && peer === 'internal'));
  t.deepEqual(
    (await exported(t, dir, '--modid', '3')).map(({ ip }) => ip),
    Array.from({ length: HOSTS }, (_, host) => `192.168.2.${1 + host}`),
  );
  t.deepEqual(await exported(t, dir, '--modid', '3', '--cmdid', '9'), []);
  const csv = await runCli(['journal', 'export', '--dir', dir, '--format', 'csv', '--modid', '3']);
  const lines = csv.stdout.split('\n');
  t.is(lines[0], 'modid,cmdid,ip,port,caller,succ,err,ts,overload,peer,since');
  t.regex(lines[1]!, /^3,1,192\.168\.2\.1,8000,0\.0\.0\.9,7,0,1795331921,1,internal,2\d{3}-.*Z$/);
  t.is(lines.length, 1 + HOSTS + 1);
  t.deepEqual(await dumpJournal(dir), before);
});

test('export writes dead letters, quoted as CSV wants it', async (t) => {
  const { dir } = await stoppedJournal(t);
  t.like(await exported(t, dir, '--dead-letters'), [
    { modid: 10, cmdid: 1, ip: '192.168.9.1', caller: '0.0.0.77', code: 'ER_REFUSED', count: 1 },
  ]);
  t.deepEqual(await exported(t, dir, '--dead-letters', '--modid', '1'), []);
  const csv = await runCli(['journal', 'export', '--dir', dir, '--dead-letters', '--format', 'csv']);
  t.regex(csv.stdout.split('\n')[1]!, /^10,1,192\.168\.9\.1,8000,.*,ER_REFUSED,"no, ""never""",1,/);
});

test('export writes what is in quarantine: its bytes, and its rows where they can be read', async (t) => {
  const { dir, config, store } = await stoppedJournal(t);
  const key = (await damageJournal(dir, 'events', undefined, flipped)) as number[];
  const second = await startReporter(config, { store });
  await second.stop();
  const [record, ...more] = await exported(t, dir, '--quarantine');
  t.deepEqual(more, []);
  t.like(record, { epoch: 1, partition: key[1], sequence: key[2], rows: null });
  t.true(Buffer.from(record!.bytes, 'base64').length >= 56);
  t.true((await verify(t, dir)).sound, 'what is in quarantine is dealt with');
});

test('a journal in use is left alone: exit code 1, naming the process', async (t) => {
  const cwd = tempDir(t);
  writeFileSync(
    path.join(cwd, 'config.json'),
    '{ "listen": { "host": "127.0.0.1", "port": 0 }, "admin": { "port": 0 } }',
  );
  const { cli } = await startServe([], { cwd });
  t.teardown(() => cli.stop('SIGKILL'));
  for (const tool of ['inspect', 'verify', 'export']) {
    const { code, stdout, stderr } = await runCli(['journal', tool], { cwd });
    t.is(
      stderr,
      `error: the journal ${cwd}/data/journal is in use by process ${cli.readerPid}: stop that process, and try again\n`,
    );
    t.is(stdout, '');
    t.is(code, 1);
  }
  await cli.stop();
  t.is((await runCli(['journal', 'verify'], { cwd })).code, 0);
});

test('a journal of another format is refused in words', async (t) => {
  const { dir } = await stoppedJournal(t, [1]);
  await damageJournal(dir, 'meta', 'format', () => Buffer.from('99'));
  const before = await dumpJournal(dir);
  for (const tool of ['inspect', 'verify', 'export']) {
    const { code, stderr } = await runCli(['journal', tool, '--dir', dir]);
    t.regex(stderr, /^error: the journal .* has format 99, this version reads format 1: /);
    t.is(code, 1);
  }
  t.deepEqual(await dumpJournal(dir), before);
});

test('a folder that holds no journal is refused, and none is made', async (t) => {
  const cwd = tempDir(t);
  const missing = await runCli(['journal', 'inspect'], { cwd });
  t.is(missing.code, 1);
  t.regex(missing.stderr, /^error: there is no journal in .*\/data\/journal: name its folder with --dir/);
  mkdirSync(path.join(cwd, 'other'));
  writeFileSync(path.join(cwd, 'other/data.mdb'), 'what is this, and why does it stand here?');
  const other = await runCli(['journal', 'verify', '--dir', 'other'], { cwd });
  t.is(other.code, 1);
  t.regex(other.stderr, /^error: the journal .*\/other cannot be read \(.*is no data file/);
});

for (const args of [
  ['journal', 'inspect', '--dir', 'x', '--config', 'config.json'],
  ['journal', 'export', '--quarantine', '--dead-letters'],
  ['journal', 'export', '--quarantine', '--modid', '1'],
  ['journal', 'export', '--format', 'xml'],
  ['journal', 'repair'],
  ['journal'],
]) {
  test(`wrong usage is exit code 2: ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runCli(args, { cwd: tempDir(t) });
    t.is(code, 2);
    t.is(stdout, '');
    t.not(stderr, '');
  });
}

for (const tool of ['inspect', 'verify', 'export']) {
  test(`journal ${tool} --help names --config and gives an example`, async (t) => {
    const { code, stdout } = await runCli(['journal', tool, '--help']);
    t.is(code, 0);
    t.regex(stdout, new RegExp(`^Usage: lars-reporter journal ${tool} \\[options\\]`));
    t.regex(stdout, /^ {2}--config <file> /m);
    t.regex(stdout, new RegExp(`^Example:\\n  \\$ .*lars-reporter journal ${tool}`, 'm'));
  });
}
