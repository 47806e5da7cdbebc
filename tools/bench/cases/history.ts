import { closeSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { History } from '../../../src/history/history.js';
import type { PastMinute, Tally } from '../../../src/history/kept-records.js';
import { HOSTS, SERVICES, toBlocks } from '../../../src/history/tallies.js';
import { type Case, WrongResult } from '../case.js';

const NOW = 1_795_744_800;
const MINUTE_S = 60;
const MIB = 1_048_576;
/** Small, so that it is reached: from then on each minute takes the place of another one. */
const MAX_BYTES = 64 * MIB;
const SERVICES_SHOWN = 10_000;
/** One host in a hundred is in trouble. */
const HOSTS_SHOWN = 1_000;

/** K: what keeping a history costs, by the minute. */
export const history: Case = {
  id: 'K',
  maxRounds: 3,
  lines: [
    {
      id: 'K cpu',
      title: 'CPU of a history of 10,000 services and 1,000 hosts in trouble, of one core',
      unit: '%',
      reference: 'the same bytes packed, written to a file, and synced',
      target: { of: 'measured', atMost: 1 },
    },
    {
      id: 'K file',
      title: 'its file, at its longest',
      unit: 'MiB',
      reference: 'history.maxBytes',
      target: { of: 'ratio', atMost: 1 },
    },
    {
      id: 'K day',
      title: 'a service over a day, read',
      unit: 'ms',
      reference: 'reading its 1,440 minutes of coverage',
    },
  ],
  async round(bench) {
    // Shorter ones do not reach the bound.
    const minutes = bench.size(1_440, 20);
    return bench.withDir(async (dir) => {
      const kept = await keep(dir, minutes);
      const written = await writeBarely(dir, minutes);
      return [
        { line: 'K cpu', measured: kept.percent, reference: written },
        { line: 'K file', measured: kept.largestBytes / MIB, reference: MAX_BYTES / MIB },
        { line: 'K day', measured: kept.dayMs, reference: kept.coverageMs },
      ];
    });
  },
};

function minuteAt(minute: number): PastMinute {
  const services = Array.from(
    { length: SERVICES_SHOWN },
    (_, id): Tally => [id, 1, minute % 997, 3, 10, 1, 20, 4, 0, 2],
  );
  const hosts = Array.from({ length: HOSTS_SHOWN }, (_, id): Tally => [id, 1, id, 80, 100, 9, 3, 10]);
  return { minute: NOW / MINUTE_S + minute, coveredS: 60, services, hosts };
}

/** Runs `each` once a minute of the history; per cent of a core if it were so. */
async function cpuShare(minutes: number, each: (minute: PastMinute) => Promise<void>): Promise<number> {
  let micros = 0;
  for (let minute = 0; minute < minutes; minute++) {
    // What is handed in is made before: it is the view's.
    const given = minuteAt(minute);
    const before = process.cpuUsage();
    await each(given);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  return (micros / (minutes * MINUTE_S * 1_000_000)) * 100;
}

async function keep(dir: string, minutes: number) {
  const folder = path.join(dir, 'history');
  const kept = new History({ dir: folder, maxBytes: MAX_BYTES });
  let largestBytes = 0;
  const percent = await cpuShare(minutes, async (minute) => {
    kept.keepMinute(minute);
    await kept.work(minute.minute * MINUTE_S + MINUTE_S);
    largestBytes = Math.max(largestBytes, statSync(path.join(folder, 'data.mdb')).size);
  });
  const last = NOW / MINUTE_S + minutes - 1;
  const read = (minute: number) => kept.reader?.minute('minutes', minute, [SERVICES_SHOWN - 1, 1]);
  if (kept.condition.state !== 'ok' || read(last)?.[2] !== (minutes - 1) % 997)
    throw new WrongResult(`the history is ${kept.condition.state}: ${kept.condition.why}`);
  const beganMs = performance.now();
  const covered = kept.reader?.coverage(last - 1_439, last) ?? [];
  const coverageMs = performance.now() - beganMs;
  const againMs = performance.now();
  for (const minute of covered.keys()) read(last - 1_439 + minute);
  const dayMs = performance.now() - againMs;
  await kept.close(NOW + minutes * MINUTE_S);
  return { percent, largestBytes, dayMs, coverageMs };
}

/** The same bytes in a file of the same length, written round and round. */
async function writeBarely(dir: string, minutes: number): Promise<number> {
  const fd = openSync(path.join(dir, 'barely'), 'w');
  let at = 0;
  try {
    return await cpuShare(minutes, async ({ services, hosts }) => {
      if (at > MAX_BYTES) at = 0;
      for (const { bytes } of [...toBlocks(SERVICES, services), ...toBlocks(HOSTS, hosts)])
        at += writeSync(fd, bytes, 0, bytes.length, at);
      fsyncSync(fd);
    });
  } finally {
    closeSync(fd);
  }
}
