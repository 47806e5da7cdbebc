/** Serves, is asked, closes and has nothing more to do: the process has to end by itself, without a warning. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { startAdmin } from '../../src/admin/http.js';
import { Metrics } from '../../src/observe/metrics.js';
import { SILENT } from './ask.js';
import { busyStatus } from './statuses.js';

const metrics = new Metrics({ writers: 2, source: busyStatus });
const options = { host: '127.0.0.1', port: 0, status: busyStatus, metrics, logger: SILENT };
const admin = await startAdmin(options);
const { port } = admin.address;
// One connection is kept alive by fetch, one never says anything.
await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
const silent = connect(port, '127.0.0.1');
silent.on('error', () => {});
await once(silent, 'connect');
// One that cannot listen leaves nothing either.
await startAdmin({ ...options, port }).catch(() => {});
await admin.close();
process.stdout.write('closed\n');
