/**
 * A reporter with a sender in the same process, for kill tests: says on stdout what is journaled, as one line
 * `round caller` for each report the reporter has paid back. Arguments: journal dir, store URL, services, hosts.
 */
import { type Report, startReporter } from '../../src/index.js';
import { numberedReport } from '../../src/testing/index.js';

const [dir = '', url = '', services = '0', hosts = '0', firstRound = '1'] = process.argv.slice(2);
const reporter = await startReporter({
  listen: { host: '127.0.0.1', port: 0 },
  writers: { count: 3, maxBatchRows: 50 },
  journal: { dir, snapshotBytes: 65_536 },
  store: { url },
  admin: { port: 0 },
});

for (let round = Number(firstRound); ; round++) {
  const reports: Report[] = Array.from({ length: Number(services) }, (_, service) =>
    numberedReport(service, 1, Number(hosts), round),
  );
  await reporter.report(...reports);
  process.stdout.write(`${round}\n`);
}
