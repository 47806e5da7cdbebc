// The process that owners.test.ts pauses: `node append-child.js CLUSTER SERVERS`. Appends to partition 0 as fast as it
// can, and writes `SEQUENCE` for each append that is acknowledged; at the end what it was rejected with.

import { writeSync } from 'node:fs';
import { ReplicatedJournal } from '../../../src/journal/jetstream/replicated-journal.js';
import { messageOf, ReporterError } from '../../../src/model/errors.js';
import { NO_EVENTS } from '../../../src/observe/events.js';
import { Appending } from './appending.js';

const [, , cluster = '', servers = ''] = process.argv;
const journal = await ReplicatedJournal.open({
  ...{ servers: servers.split(','), cluster, node: 'child', writers: 1, events: NO_EVENTS },
});
const appending = new Appending(journal.partition(0));
await appending.start();
let told = 0;
setInterval(() => {
  if (appending.acknowledged > told) writeSync(1, `${appending.acknowledged}\n`);
  told = appending.acknowledged;
}, 1).unref();
try {
  await appending.failure();
} catch (error) {
  writeSync(1, `${appending.acknowledged}\n`);
  writeSync(1, `${error instanceof ReporterError ? error.code : 'unknown'}: ${messageOf(error)}\n`);
}
await journal.close();
