import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type Report, type Reporter, startReporter } from '../../src/index.js';
import { tell } from '../../src/runtime/actors.js';
import {
  FaultyDisk,
  FaultyStore,
  isNumbered,
  MemoryStore,
  numberedReport,
  OrderChecker,
  startFleet,
  until,
  WriterCrashes,
} from '../../src/testing/index.js';
import { startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const SERVICES = 40;
const HOSTS = 10;
const KEYS = SERVICES * HOSTS;

const config = (dir: string, more: Partial<ConfigInput> = {}): ConfigInput => ({
  listen: { host: '127.0.0.1', port: 0 },
  admin: { port: 0 },
  writers: { count: 3, maxBatchRows: 20 },
  journal: { dir, snapshotBytes: 10_000 },
  ...more,
});

const round = (number: number): Report[] =>
  Array.from({ length: SERVICES }, (_, service) => numberedReport(service, 1, HOSTS, number));

/** A store whose statements are watched. */
function watchedStore() {
  const order = new OrderChecker({ numbered: isNumbered });
  const faults = new FaultyStore();
  return { order, faults, store: order.watch(faults) };
}

type Site = ReturnType<typeof watchedStore>;

/** What the next start on the same journal finds and stores, together with what was stored before, is everything. */
async function nextStartHasTheRest(t: ExecutionContext, { order, faults, store }: Site, dir: string) {
  faults.heal();
  const reporter = await startReporter(config(dir), { store });
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rest to be stored' });
  await reporter.stop();
  t.is(order.keys, KEYS);
  t.notThrows(() => order.verify());
}

/** Takes one round of reports, all of which are on disk then. */
async function take(reporter: Reporter, { order }: Site, number: number) {
  const reports = round(number);
  for (const report of reports) order.sent(report);
  await reporter.report(...reports);
}

for (let delay = 0; delay < 6; delay++) {
  test(`a stop while a writer waits for its restart loses nothing and writes nothing afterwards (${delay})`, async (t) => {
    const dir = `${tempDir(t)}/journal`;
    const site = watchedStore();
    const { faults, store } = site;
    faults.fail();
    const crashes = new WriterCrashes();
    const reporter = await startReporter(
      config(dir, { supervision: { backoffMs: 5000, maxBackoffMs: 5000 } }),
      { store, atStep: crashes.atStep },
    );
    for (let number = 1; number <= 3; number++) await take(reporter, site, number);
    crashes.at('flush', { partition: 0 });
    await until(() => reporter.status().writers[0]!.state === 'restarting', { ...BOUND, what: 'the crash' });
    faults.heal();
    for (let turn = 0; turn < delay; turn++) await new Promise(setImmediate);
    await reporter.stop();
    const { taken } = faults;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    t.is(faults.taken, taken, 'nothing is written after the stop');
    t.is(reporter.status().state, 'stopped');
    await nextStartHasTheRest(t, site, dir);
  });
}

test('a start that fails behind a backlog writes nothing afterwards, and the next one has it all', async (t) => {
  const dir = `${tempDir(t)}/journal`;
  const site = watchedStore();
  const { faults, store } = site;
  faults.fail();
  const first = await startReporter(config(dir), { store });
  await take(first, site, 1);
  const other = await startReporter(config(`${tempDir(t)}/journal`), { store: new MemoryStore() });
  t.teardown(() => other.stop());
  await first.stop();
  faults.heal();
  const busy = config(dir, { listen: { host: '127.0.0.1', port: other.address.port } });
  await t.throwsAsync(startReporter(busy, { store }), { code: 'LISTEN_FAILED' });
  const { taken } = faults;
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  t.is(faults.taken, taken);
  await nextStartHasTheRest(t, site, dir);
});

test('a store that cannot be closed keeps neither the journal nor the ports', async (t) => {
  const dir = `${tempDir(t)}/journal`;
  const said: string[] = [];
  const store = new MemoryStore();
  store.close = async () => {
    throw new Error('stuck');
  };
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (_fields: object, message: string) => void said.push(message),
  };
  const reporter = await startReporter(config(dir), { store, logger });
  await reporter.stop();
  await reporter.stop();
  t.deepEqual(said, ['the store did not end in good order']);
  const next = await startReporter(config(dir), { store: new MemoryStore() });
  await next.stop();
});

test('a logger that throws, and a receipt that throws, harm nobody', async (t) => {
  const site = watchedStore();
  const { order, store } = site;
  const fail = () => {
    throw new Error('a bug of the host');
  };
  const crashes = new WriterCrashes();
  crashes.atRandom({ seed: 3, share: 0.2, steps: ['flush'] });
  const quick = { supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 1000 } };
  const reporter = await startReporter(config(`${tempDir(t)}/journal`, quick), {
    store,
    logger: { debug: fail, info: fail, warn: fail, error: fail },
    atStep: crashes.atStep,
  });
  t.teardown(() => reporter.stop());
  for (let number = 1; number <= 5; number++) {
    for (const report of round(number)) order.sent(report);
    tell(reporter.ref, { reports: round(number), journaled: fail });
    await take(reporter, site, number);
  }
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  t.true(reporter.ledger().balanced);
  t.notThrows(() => order.verify());
});

test('whatever is told to the reference, who waits for a receipt gets one', async (t) => {
  const store = new MemoryStore();
  const reporter = await startReporter(config(`${tempDir(t)}/journal`), { store });
  t.teardown(() => reporter.stop());
  for (const reports of [null, 5, 'text', {}, [null], [{}], undefined]) {
    await new Promise<void>((journaled) =>
      tell(reporter.ref, { reports: reports as unknown as Report[], journaled }),
    );
  }
  for (const message of [null, undefined, 5, 'text', []]) tell(reporter.ref, message as unknown as Report);
  await reporter.report(...round(1));
  await until(() => store.rows.size === KEYS, { ...BOUND, what: 'good reports to be stored' });
  t.true(reporter.ledger().balanced);
});

for (const present of [true, false]) {
  test(`a drain under load ends within its bound, with the store ${present ? 'present: everything is stored' : 'away: the rest is said and kept'}`, async (t) => {
    const dir = `${tempDir(t)}/journal`;
    const { order, faults, store } = watchedStore();
    const drainMs = present ? 20_000 : 1000;
    const reporter = await startReporter(config(dir, { shutdown: { drainMs } }), { store });
    t.teardown(() => reporter.stop());
    // Agents that go on sending, and are cut off by the drain: what the system had taken of them is their loss.
    const fleet = startFleet({ port: reporter.address.port, agents: 5, services: SERVICES, hosts: 5, order });
    const { rounds } = await until(
      async () => {
        const running = await fleet;
        return running.rounds >= 3 && running;
      },
      { ...BOUND, what: 'a load' },
    );
    t.true(rounds >= 3);
    if (!present) faults.fail();
    const began = performance.now();
    const { drained, pending, unjournaled } = await reporter.drain();
    t.true(performance.now() - began < drainMs + 5000);
    t.is(drained, present);
    t.is(pending + unjournaled > 0, !present);
    // A batch may be journaled right behind the end of the drain.
    t.true(reporter.ledger().pending >= pending);
    t.true(reporter.ledger().balanced);
    t.deepEqual(order.violations, []);
    await (await fleet).stop().catch(() => {});
    await reporter.stop();
    faults.heal();
    const next = await startReporter(config(dir), { store });
    // A stop journals what a slow disk had not taken when the drain gave up.
    t.is(next.ledger().recovered, reporter.ledger().pending);
    await until(() => next.ledger().pending === 0, { ...BOUND, what: 'the rest to be stored' });
    await next.stop();
    t.deepEqual(order.violations, []);
  });
}

test('a drain while the journal cannot be written tells what stays in the journal from what never came there', async (t) => {
  const dir = `${tempDir(t)}/journal`;
  const site = watchedStore();
  const disk = new FaultyDisk();
  const options = { store: site.store, journalFaults: disk.faults };
  const reporter = await startReporter(config(dir, { shutdown: { drainMs: 300 } }), options);
  t.teardown(() => reporter.stop());
  site.faults.fail();
  await take(reporter, site, 1);
  disk.fill();
  const reports = round(2);
  const unjournaled = t.throwsAsync(reporter.report(...reports), { code: 'REPORTER_STOPPED' });
  await until(() => reporter.status().journalError, { ...BOUND, what: 'the journal to be full' });
  t.deepEqual(await reporter.drain(), { drained: false, pending: KEYS, unjournaled: KEYS });
  await reporter.stop();
  await unjournaled;
  disk.heal();
  const next = await startReporter(config(dir), { store: site.store });
  t.is(next.ledger().recovered, KEYS);
  await next.stop();
});

test('serve with store and disk away says how many rows stay in the journal, and how many are lost', async (t) => {
  const cwd = tempDir(t);
  const env = {
    ...{ LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' },
    // Nobody listens on port 1.
    ...{ LARS_STORE_URL: 'mysql://lars:x@127.0.0.1:1/lars', LARS_SHUTDOWN_DRAIN_MS: '300' },
    LARS_JOURNAL_DIR: path.join(cwd, 'journal'),
  };
  const { cli, ready } = await startServe([], { cwd, env });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const { size } = statSync(path.join(cwd, 'journal/data.mdb'));
  await promisify(execFile)('prlimit', ['--pid', String(cli.readerPid), `--fsize=${size}:unlimited`]);
  const fleet = await startFleet({ port: ready.listen.port, agents: 4, services: 200, hosts: 20 });
  await until(() => cli.stderr.includes('the journal cannot be written'), { ...BOUND, what: 'a full disk' });
  const { code, stderr } = await cli.stop();
  t.is(code, 0);
  await fleet.stop().catch(() => {});
  const [, pending, lost] =
    /stopped; (\d+) rows are not stored and stay in the journal; (\d+) more rows could not be journaled and are lost/.exec(
      stderr,
    ) ?? [];
  t.true(Number(lost) > 0, stderr);
  for (const line of stderr.trimEnd().split('\n'))
    t.notThrows(() => JSON.parse(line), 'nobody else writes there');
  const next = await startServe([], { cwd, env });
  await next.cli.stop();
  t.true(next.cli.stderr.includes(`"rows":${pending},`), next.cli.stderr);
});

test('a stop does not wait for a database that does not answer, however long it may take to connect', async (t) => {
  const longMs = 600_000;
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if (!isSilent) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const reporter = await startReporter(
    config(`${tempDir(t)}/journal`, {
      store: { url: `mysql://u:p@127.0.0.1:${port}/d`, connectTimeoutMs: longMs, queryTimeoutMs: longMs },
      shutdown: { drainMs: 100 },
      view: { enabled: false },
    }),
  );
  isSilent = true;
  await reporter.report(...round(1));
  await until(() => [...sockets].some(({ destroyed }) => !destroyed), {
    ...BOUND,
    what: 'a writer to connect',
  });
  t.deepEqual(await reporter.drain(), { drained: false, pending: KEYS, unjournaled: 0 });
  await Promise.race([reporter.stop(), sleep(BOUND.boundMs).then(() => t.fail('it waits'))]);
  t.is(reporter.status().state, 'stopped');
});
