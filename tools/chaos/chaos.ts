import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/testing/index.js';
import { checkTable } from './checks.js';
import { drainAll, endWave } from './ending.js';
import { allFaults } from './faults/all.js';
import { WRITERS } from './faults/reporter.js';
import type { Folder } from './folder.js';
import { LeakCheck, mebibytes } from './leaks.js';
import type { Options } from './options.js';
import { Schedule, type Wave } from './schedule.js';
import { Site } from './site.js';
import type { Summary } from './summary.js';
import { messages } from './timeline.js';
import { runWave } from './wave.js';

/** Size of the fleet: small enough for a laptop, large enough that every writer always has something to do. */
const FLEET = { agents: 40, services: 10, hosts: 4 };
const LONG = { waveMs: 15_000, faultsPerWave: 10, reach: 1 };
const SHORT = { waveMs: 5000, faultsPerWave: 8, reach: 0.4 };
const SHORT_WAVES = 4;
const COUNTERS_EVERY_MS = 5000;

export interface ChaosOptions extends Folder {
  readonly options: Options;
}

/** Wave after wave of faults, with a look at every key behind each. Resolves when nothing runs any more. */
export async function runChaos({ options, dir, timeline, signal }: ChaosOptions): Promise<Summary> {
  const { seed, short, minutes } = options;
  const site = await Site.start({ dir, seed, timeline, signal, ...FLEET });
  const faults = allFaults(site);
  const schedule = new Schedule({
    random: seeded(seed),
    specs: faults,
    writers: WRITERS,
    ...(short ? SHORT : LONG),
  });
  const leaks = new LeakCheck(site);
  const begun = new Counter();
  const endings = new Counter();
  const keys = FLEET.agents * FLEET.services * FLEET.hosts;
  timeline.say(`${FLEET.agents} agents, ${keys} keys, ${faults.length} kinds of faults`);
  const counters = setInterval(() => sayCounters(site), COUNTERS_EVERY_MS);
  let waves = 0;
  const isTime = () => (short ? waves < SHORT_WAVES : timeline.seconds < minutes * 60);
  try {
    while (isTime() && !signal.aborted) {
      const wave = schedule.next();
      waves++;
      timeline.say(`wave ${waves}: ${wave.faults.length} faults`);
      site.fleet.go();
      await runWave({ wave, faults, timeline, signal, onFault: (name) => begun.add(name) });
      if (signal.aborted) break;
      endings.add(wave.ending);
      await closeWave(site, wave, leaks);
    }
    if (!signal.aborted) await lastRound(site, leaks);
  } catch (error) {
    if (!signal.aborted) timeline.violation(messages(error));
  } finally {
    clearInterval(counters);
    await site.close();
  }
  return {
    seed,
    seconds: timeline.seconds,
    waves,
    faults: begun.counts,
    endings: endings.counts,
    incarnations: site.service.incarnation,
    connections: site.fleet.reconnects,
    rowsSent: site.fleet.rowsSent + site.wide.rowsSent,
    full: site.watch.full,
    totals: site.watch.totals,
    ledgers: site.watch.samples,
    violations: timeline.violations.length,
  };
}

async function closeWave(site: Site, wave: Wave, leaks: LeakCheck): Promise<void> {
  await endWave(site, wave);
  await drainAll(site);
  if (!site.options.signal.aborted) await look(site, wave.ending, leaks);
}

/** Faults over, agents told: every one sends a whole round, and the table is exactly that. */
async function lastRound(site: Site, leaks: LeakCheck): Promise<void> {
  site.fleet.go();
  site.wide.go();
  await sleep(200);
  await Promise.all([site.settle(), site.wide.settle()]);
  await drainAll(site);
  await look(site, 'the end', leaks);
  const { service } = site;
  await service.exclusively(() => service.drain());
}

/** Looks at every key of a site at rest, and at what its reporter holds. */
async function look(site: Site, when: string, leaks: LeakCheck): Promise<void> {
  const { database, admin, history, service, options, callers, wideCallers, wideHistory, wideShape } = site;
  const { timeline } = options;
  const rows = await database.rows(callers);
  const wideRows = await database.rows(wideCallers);
  const found = [
    ...(await database.stepsBack(callers)),
    ...(await database.stepsBack(wideCallers)),
    ...checkTable(rows, await admin.letters(), history.courses, options),
    ...checkTable(wideRows, [], wideHistory.courses, wideShape),
  ];
  for (const violation of found) timeline.violation(`${violation} (${when})`);
  service.checkLog();
  const { sockets, others, residentBytes, liveBytes } = await leaks.check();
  const exact = history.uncertain === 0 ? 'exact' : `${history.uncertain} agents within bounds`;
  timeline.say(
    `= ${when}: ${rows.length + wideRows.length} keys looked at, ${exact}; ${sockets} sockets, ${others} other files, ` +
      `${mebibytes(residentBytes)} resident, ${mebibytes(liveBytes)} in use`,
  );
}

function sayCounters({ fleet, watch, options }: Site): void {
  const { received, upserted, coalesced, deadLettered } = watch.totals;
  options.timeline.say(
    `  ${fleet.connected} connected, sent ${fleet.rowsSent}, received ${received}, stored ${upserted}, ` +
      `coalesced ${coalesced}, dead letters ${deadLettered}, pending ${watch.pending}`,
  );
}

class Counter {
  readonly counts = new Map<string, number>();

  add(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
