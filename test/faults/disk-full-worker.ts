/**
 * A reporter whose journal may grow no further than the file size limit of this process, for the disk-full test.
 * Says on stdout, one JSON line each: `{"port"}` when it listens, then its status twice a second. Argument: journal dir.
 */
import { startReporter } from '../../src/index.js';

const [dir = ''] = process.argv.slice(2);
process.on('unhandledRejection', (error) => {
  process.stdout.write(`${JSON.stringify({ unhandled: String(error) })}\n`);
});
const store = {
  description: 'away',
  open: async () => {},
  check: async () => {},
  close: async () => {},
  writer: () => ({ upsert: () => new Promise<void>(() => {}), close: async () => {} }),
};
const reporter = await startReporter(
  { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir }, writers: { count: 2 } },
  { store },
);
process.stdout.write(`${JSON.stringify({ port: reporter.address.port })}\n`);
setInterval(() => {
  const { journalError, ledger, inflightBytes } = reporter.status();
  process.stdout.write(`${JSON.stringify({ journalError, ledger, inflightBytes })}\n`);
}, 50);
