/**
 * Proves that a reporter survives: a store that goes away, loses confirmations and rejects a row, writers that crash,
 * and a disk that fills up. Run it with `node dist/examples/fault-injection.js`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReporter } from 'lars-reporter';
import {
  FaultyDisk,
  FaultyStore,
  isNumbered,
  LedgerChecker,
  MemoryStore,
  OrderChecker,
  startFleet,
  until,
  WriterCrashes,
} from 'lars-reporter/testing';

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
process.stdout.write(`seed ${seed}\n`);
const dir = await mkdtemp(join(tmpdir(), 'lars-example-'));

// The checker knows what is sent, and sees every statement: as the writers ask for it, and as it takes effect.
const order = new OrderChecker({ numbered: isNumbered });
const store = new FaultyStore({ inner: order.watch(new MemoryStore()), hangMs: 200 });
const crashes = new WriterCrashes();
const disk = new FaultyDisk();

const reporter = await startReporter(
  {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    journal: { dir },
    supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 1000 },
  },
  { store: order.watch(store), atStep: crashes.atStep, journalFaults: disk.faults },
);
const ledgers = new LedgerChecker(() => reporter.ledger());

const { port } = reporter.address;
const fleet = await startFleet({ port, agents: 5, services: 10, hosts: 4, order });
const rounds = (count: number) => {
  const enough = fleet.rounds + count;
  return until(() => fleet.rounds >= enough, { boundMs: 20_000, what: 'agents to go on' });
};
await rounds(3);

// The store goes away, and comes back.
store.fail('retry');
await rounds(5);
store.heal();

// Confirmations are lost, statements fail and hang, writers crash, all at random.
store.atRandom({ seed, fail: 0.2, lose: 0.1, hang: 0.01 });
crashes.atRandom({ seed, share: 0.1 });
await rounds(50);
store.heal();
crashes.heal();

// A writer crashes when a batch is on disk and nobody has been told.
crashes.at('after-persist', { partition: 0 });
await until(() => reporter.status().writers[0]!.state === 'running' && crashes.countAt('after-persist') > 0, {
  boundMs: 20_000,
  what: 'the crash, and the writer to be back',
});

// The disk fills up: agents wait, and go on when there is room.
disk.fill();
await until(() => reporter.status().journalError, { boundMs: 20_000, what: 'the status to show it' });
disk.makeRoom();
await rounds(3);

await fleet.stop();
await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
  boundMs: 20_000,
  what: 'everything to be stored',
});
order.verify();
await ledgers.stop();
ledgers.verify();
await reporter.stop();
await rm(dir, { recursive: true });
process.stdout.write(
  `${order.keys} keys at their last values after ${crashes.count} crashes and ${disk.failures} failed commits; ` +
    `${ledgers.samples > 0 ? 'the ledger balanced in every sample' : 'no ledger was read'}\n`,
);
