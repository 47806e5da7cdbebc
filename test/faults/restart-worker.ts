/**
 * A reporter whose store is away, for the tests that look at its memory. Says on stdout `{"port"}` when it is ready, then
 * its number of pending rows and bytes of journal twice a second. Argument: the journal's folder.
 */
import { startReporter } from '../../src/index.js';

const [dir = ''] = process.argv.slice(2);
const store = {
  description: 'away',
  open: async () => {},
  check: async () => {},
  close: async () => {},
  writer: () => ({ upsert: () => new Promise<void>(() => {}), close: async () => {} }),
};
const reporter = await startReporter(
  { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir }, writers: { count: 4 } },
  { store },
);
const say = (fields: object) => process.stdout.write(`${JSON.stringify(fields)}\n`);
say({ port: reporter.address.port });
setInterval(() => {
  const { ledger, writers } = reporter.status();
  say({
    pending: ledger.pending,
    journalBytes: writers.reduce((sum, writer) => sum + writer.journalBytes, 0),
  });
}, 500);
