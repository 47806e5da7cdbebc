import test, { type ExecutionContext } from 'ava';
import { startReporter } from '../../src/index.js';
import {
  FaultyDisk,
  FaultyStore,
  isNumbered,
  LedgerChecker,
  MemoryStore,
  numberedReport,
  OrderChecker,
  seeded,
  startFleet,
  until,
  WRITER_STEPS,
  WriterCrashes,
} from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const WRITERS = 3;
const shape = { agents: 6, services: 12, hosts: 5 };

const seed = Number(process.env['LARS_TEST_SEED'] ?? 20_261_125);

/** A reporter all parts of which can be made to fail, and what must be true of it throughout. */
async function setUp(t: ExecutionContext) {
  t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
  const order = new OrderChecker({ numbered: isNumbered });
  const faults = new FaultyStore({ inner: order.watch(new MemoryStore()), hangMs: 100 });
  const crashes = new WriterCrashes();
  const disk = new FaultyDisk();
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      writers: { count: WRITERS, maxBatchRows: 30 },
      journal: { dir: `${tempDir(t)}/journal`, snapshotBytes: 20_000 },
      supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 10_000 },
    },
    { store: order.watch(faults), atStep: crashes.atStep, journalFaults: disk.faults },
  );
  t.teardown(() => reporter.stop());
  const ledgers = new LedgerChecker(() => reporter.ledger(), 1);
  t.teardown(() => ledgers.stop());
  const restarts = () => reporter.status().writers.map((writer) => writer.restarts);
  /** Once all faults have ended: everything is stored, and so is what comes fresh. */
  const endsRight = async () => {
    await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
      ...BOUND,
      what: 'everything to be stored',
    });
    t.notThrows(() => order.verify());
    // A service for each partition, new ones and known ones.
    const fresh = Array.from({ length: 4 * WRITERS }, (_, service) => numberedReport(service, 999, 3, 1));
    for (const report of fresh) order.sent(report);
    await reporter.report(...fresh);
    await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'fresh rows to pass' });
    t.notThrows(() => order.verify());
    await ledgers.stop();
    t.notThrows(() => ledgers.verify());
    t.is(reporter.status().quarantined, 0);
    t.is(reporter.status().deadLetters, 0);
  };
  return { order, faults, crashes, disk, reporter, restarts, endsRight };
}

test('with 30 % of the writes to the store failing and 25 % of the recoveries: every key in order, its last value stored', async (t) => {
  const { order, faults, crashes, reporter, restarts, endsRight } = await setUp(t);
  faults.atRandom({ seed, fail: 0.3, slowMs: 2 });
  crashes.atRandom({
    seed: seed + 1,
    share: 0.02,
    steps: ['after-persist', 'flush', 'flushed', 'checkpoint'],
  });
  crashes.atRandom({ seed: seed + 2, recoveries: 0.25 });
  const fleet = await startFleet({ port: reporter.address.port, ...shape, order });
  await until(() => restarts().every((count) => count >= 5) && crashes.countAt('recovery') >= 5, {
    ...BOUND,
    what: 'enough crashes and failed recoveries',
  });
  await until(() => fleet.rounds >= 5, { ...BOUND, what: 'enough rounds' });
  await fleet.stop();
  crashes.heal();
  await endsRight();
  t.true(faults.statements > 0);
});

test('every acknowledged row arrives, and a fresh row passes once the faults have ended: store, disk and writers failing at once', async (t) => {
  const { order, faults, crashes, disk, reporter, restarts, endsRight } = await setUp(t);
  faults.atRandom({ seed, fail: 0.2, lose: 0.1, hang: 0.01, slowMs: 2 });
  crashes.atRandom({
    seed: seed + 1,
    share: 0.01,
    steps: WRITER_STEPS.filter((step) => step !== 'recovery'),
  });
  crashes.atRandom({ seed: seed + 2, recoveries: 0.25 });
  const random = seeded(seed + 3);
  for (let round = 1; round <= 40 || !restarts().every((count) => count >= 2); round++) {
    if (random() < 0.3) disk.fail(1 + Math.floor(random() * 3));
    const reports = Array.from({ length: 20 }, (_, service) => numberedReport(service, 1, 5, round));
    for (const report of reports) order.sent(report);
    // Acknowledged: from here on it is for the reporter to bring it to the store.
    await reporter.report(...reports);
  }
  t.true(disk.failures > 0);
  faults.heal();
  crashes.heal();
  disk.heal();
  await endsRight();
});
