import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, startReporter } from '../../src/index.js';
import {
  type Damage,
  FaultyDisk,
  FaultyStore,
  isNumbered,
  LedgerChecker,
  numberedReport,
  OrderChecker,
  startFleet,
  until,
  WriterCrashes,
} from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const HOSTS = 4;

interface Said {
  readonly message: string;
  readonly fields: { readonly sequence?: number };
}

function setUp(t: ExecutionContext) {
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: 1 },
    journal: { dir: `${tempDir(t)}/journal` },
    supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 10_000 },
  };
  const said: Said[] = [];
  const say = (fields: object, message: string) => void said.push({ message, fields });
  const order = new OrderChecker({ numbered: isNumbered });
  const faults = new FaultyStore();
  const disk = new FaultyDisk();
  const crashes = new WriterCrashes();
  const start = async () => {
    const reporter = await startReporter(config, {
      store: order.watch(faults),
      journalFaults: disk.faults,
      atStep: crashes.atStep,
      logger: { debug: say, info: say, warn: say, error: say },
    });
    t.teardown(() => reporter.stop());
    return reporter;
  };
  return { config, said, order, faults, disk, crashes, start };
}

for (const fault of ['a full disk', 'a disk that fails again and again'] as const) {
  test(`${fault}: agents wait, the status says so, and all goes on by itself when it is over`, async (t) => {
    const { order, said, disk, start } = setUp(t);
    const reporter = await start();
    const ledgers = new LedgerChecker(() => reporter.ledger());
    t.teardown(() => ledgers.stop());
    const fleet = await startFleet({
      port: reporter.address.port,
      ...{ agents: 4, services: 200, hosts: 20 },
      order,
    });
    await until(() => fleet.rounds >= 2, { ...BOUND, what: 'a running fleet' });
    if (fault === 'a full disk') disk.fill();
    else disk.fail(Number.POSITIVE_INFINITY);
    const reason = await until(() => reporter.status().journalError, { ...BOUND, what: 'it to be said' });
    t.regex(reason, fault === 'a full disk' ? /ENOSPC/ : /EIO/);
    // Each agent has room for a little in its own buffers; then TCP holds it.
    await until(() => reporter.status().inflightBytes > 65_536, { ...BOUND, what: 'what was read to wait' });
    const { received } = reporter.ledger();
    const { failures } = disk;
    await until(() => disk.failures > failures + 2, { ...BOUND, what: 'it to be tried again' });
    t.is(reporter.ledger().received, received, 'nothing is taken that cannot be journaled');
    disk.heal();
    await until(() => !reporter.status().journalError && reporter.ledger().received > received, {
      ...BOUND,
      what: 'it to go on',
    });
    const last = await fleet.stop();
    const sent = [...last.values()].reduce((rows, rounds) => rows + rounds * 200 * 20, 0);
    await until(() => reporter.ledger().received >= sent && reporter.ledger().pending === 0, {
      ...BOUND,
      what: 'everything to be stored',
    });
    t.is(reporter.ledger().received, sent, 'every row is journaled once');
    t.notThrows(() => order.verify());
    await ledgers.stop();
    t.notThrows(() => ledgers.verify());
    t.is(said.filter(({ message }) => message.includes('agents wait')).length, 1, 'it is said once');
  });
}

for (const how of ['cut', 'flip'] satisfies Damage[]) {
  test(`a record that was stored torn (${how}) is put into quarantine and said at the next start; the rest is intact`, async (t) => {
    const { order, said, faults, disk, start } = setUp(t);
    faults.fail();
    const first = await start();
    for (const service of [1, 2, 3]) {
      const report = numberedReport(service, 9, HOSTS, 1);
      order.sent(report);
      if (service === 2) disk.tear({ how });
      await first.report(report);
    }
    t.is(disk.torn.length, 1);
    await first.stop();

    faults.heal();
    const second = await start();
    const [{ sequence } = { sequence: -1 }] = disk.torn;
    t.deepEqual(
      said.filter(({ message }) => message.includes('quarantine')).map(({ fields }) => fields.sequence),
      [sequence],
    );
    t.is(second.status().quarantined, 1);
    t.is(second.ledger().recovered, 2 * HOSTS);
    await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the others to be stored' });
    const torn = numberedReport(2, 9, HOSTS, 1);
    t.notThrows(() => order.verify({ exempt: torn.results.map(({ ip, port }) => ({ ...torn, ip, port })) }));
    t.is(faults.rows.size, 2 * HOSTS);
    t.true(second.ledger().balanced);
    // What its sender says next is stored as ever.
    const next = numberedReport(2, 9, HOSTS, 2);
    order.sent(next);
    await second.report(next);
    await until(() => second.ledger().pending === 0, { ...BOUND, what: 'it to be stored' });
    t.notThrows(() => order.verify());
  });
}

test('a torn record that a restarting writer meets is put into quarantine, its rows are accounted for, and the writer goes on', async (t) => {
  const { order, faults, disk, crashes, start } = setUp(t);
  faults.fail();
  const reporter = await start();
  const ledgers = new LedgerChecker(() => reporter.ledger(), 1);
  t.teardown(() => ledgers.stop());
  const send = async (service: number, round: number) => {
    const report = numberedReport(service, 9, HOSTS, round);
    order.sent(report);
    await reporter.report(report);
  };
  await send(1, 1);
  disk.tear();
  await send(2, 1);
  crashes.at('before-persist');
  await send(3, 1);
  t.is(crashes.count, 1);
  t.is(reporter.status().quarantined, 1);
  const { received, deadLettered, pending } = reporter.ledger();
  t.deepEqual({ received, deadLettered, pending }, { received: 12, deadLettered: 4, pending: 8 });
  faults.heal();
  await send(2, 2);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rest to be stored' });
  t.notThrows(() => order.verify());
  await ledgers.stop();
  t.notThrows(() => ledgers.verify());
});

test('a torn record that was not acknowledged loses nothing: its batch is handed over again', async (t) => {
  const { order, disk, crashes, start } = setUp(t);
  const reporter = await start();
  const report = numberedReport(1, 9, HOSTS, 1);
  order.sent(report);
  disk.tear();
  crashes.at('after-persist');
  await reporter.report(report);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rows to be stored' });
  t.is(reporter.status().quarantined, 1);
  t.notThrows(() => order.verify());
  t.true(reporter.ledger().balanced);
});

test('of a snapshot with a torn piece the other pieces are restored', async (t) => {
  const { config, order, faults, disk, start } = setUp(t);
  faults.fail();
  Object.assign(config, { journal: { ...config.journal, snapshotBytes: 4096 } });
  const first = await start();
  disk.tear({ kind: 'piece' });
  // 5,000 rows of 40 bytes: three pieces.
  const services = Array.from({ length: 50 }, (_, service) => service);
  for (let round = 1; disk.torn.length === 0; round++) {
    const reports = services.map((service) => numberedReport(service, 9, 100, round));
    for (const report of reports) order.sent(report);
    await first.report(...reports);
  }
  await until(() => first.status().writers[0]!.journalBytes < 300_000, {
    ...BOUND,
    what: 'the snapshot to take the place of the records',
  });
  await first.stop();
  faults.heal();
  const second = await start();
  t.is(second.status().quarantined, 1);
  t.is(second.ledger().recovered, 3000);
  t.true(second.ledger().balanced);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the rest to be stored' });
  t.is(faults.rows.size, 3000);
  t.deepEqual(order.violations, []);
});

test('a change of writers.count on a full disk is refused with what to do, and can be made when there is room', async (t) => {
  const { config, order, faults, disk, start } = setUp(t);
  faults.fail();
  const first = await start();
  const report = numberedReport(1, 9, HOSTS, 1);
  order.sent(report);
  await first.report(report);
  await first.stop();
  faults.heal();
  Object.assign(config, { writers: { count: 3 } });
  disk.fill();
  await t.throwsAsync(start(), { code: 'JOURNAL_UNUSABLE', message: /ENOSPC.*make room/ });
  disk.makeRoom();
  const second = await start();
  t.is(second.ledger().recovered, HOSTS);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the rows to be stored' });
  t.notThrows(() => order.verify());
});
