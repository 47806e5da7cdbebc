/**
 * Agents that survive restarts of the reporter, and rows that the store rejects. Run it with `node dist/examples/restarts.js`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, startReporter } from 'lars-reporter';
import { FaultyStore, OrderChecker, startFleet, until } from 'lars-reporter/testing';

const dir = await mkdtemp(join(tmpdir(), 'lars-example-'));
const order = new OrderChecker();
const store = new FaultyStore();
const start = () =>
  startReporter(
    { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir } },
    { store: order.watch(store) },
  );

let reporter = await start();
// Each reporter has a port of its own, so agents ask for it whenever they connect.
const port = () => reporter.address.port;
const fleet = await startFleet({ port, agents: 3, services: 5, hosts: 4, order, reconnect: true });

// The store rejects the rows of one host of the first service.
const isRefused = ({ modid, port }: Row) => modid === 1 && port === 8001;
store.reject(isRefused);

for (let restart = 1; restart <= 3; restart++) {
  await until(() => fleet.rounds >= 5 * restart, { boundMs: 20_000, what: 'some rounds' });
  await reporter.stop();
  reporter = await start();
}

await fleet.stop();
await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
  boundMs: 20_000,
  what: 'everything to be stored or rejected',
});
const rejected = [1, 2, 3].map((caller) => ({ modid: 1, cmdid: 1, ip: 0xc0a80002, port: 8001, caller }));
order.verify({ exempt: rejected });
const { deadLetters } = reporter.status();
await reporter.stop();
await rm(dir, { recursive: true });
process.stdout.write(
  `${order.keys} keys, ${deadLetters} of them dead letters, ${fleet.reconnects} reconnects\n`,
);
