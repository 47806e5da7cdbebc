// The process of full.test.ts: `node full-child.js DIR`. Keeps minutes on a disk that is full again and again, and says
// on stdout what came of it.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { History } from '../../src/history/history.js';
import type { Tally } from '../../src/history/kept-records.js';

const CYCLES = 6;
const SERVICES = 2_000;
const NOW = 1_795_744_800;

const [dir = ''] = process.argv.slice(2);
const file = path.join(dir, 'data.mdb');
let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);

/** The kernel fails a write beyond this limit as it fails one to a full disk. The soft limit alone can be raised. */
function limit(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

const options = { dir, maxBytes: 1_073_741_824, retryMs: 0 };
const history = new History(options);
let minute = NOW / 60;
const states: string[] = [];
const keptIn = new Set<number>();

async function keepMinutes(until: 'ok' | 'stopped'): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const services = Array.from({ length: SERVICES }, (_, id): Tally => [id, minute, 5, 1, 2, 0, 3, 0, 0, 0]);
    history.keepMinute({ minute, coveredS: 60, services, hosts: [] });
    await history.work(60 * minute + 60);
    const { state } = history.condition;
    if (state === 'ok') keptIn.add(minute);
    minute++;
    if (state === until) break;
  }
  states.push(history.condition.state);
}

await keepMinutes('ok');
for (let cycle = 0; cycle < CYCLES; cycle++) {
  limit(statSync(file).size);
  await keepMinutes('stopped');
  // It is tried again and again.
  for (let more = 0; more < 20; more++) await history.work(60 * minute);
  states.push(history.condition.state);
  limit('unlimited');
  await keepMinutes('ok');
}
await history.close(60 * minute);

const reopened = new History(options);
reopened.open();
const broken: number[] = [];
for (const kept of keptIn) {
  const isThere = reopened.reader?.coverage(kept, kept)[0] === 60;
  // Some of every block.
  const ids = Array.from({ length: SERVICES / 40 }, (_, id) => id * 40);
  if (!isThere || ids.some((id) => reopened.reader?.minute('minutes', kept, [id, kept])?.[2] !== 5))
    broken.push(kept);
}
await reopened.close(60 * minute);
process.stdout.write(JSON.stringify({ states, unhandled, broken, kept: keptIn.size }));
