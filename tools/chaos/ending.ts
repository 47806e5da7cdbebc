import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/testing/index.js';
import { runCli } from '../shared/process.js';
import { pick } from './faults/fault.js';
import type { Wave } from './schedule.js';
import type { Site } from './site.js';

/** The ways in which the database is away while the reporter is ended. */
const OUTAGES = ['killed', 'paused', 'cut off'] as const;

/**
 * Ends a wave whose faults are over: the agents are silent when this resolves, and the reporter runs. Nothing is
 * compared yet.
 */
export async function endWave(site: Site, wave: Wave): Promise<void> {
  const { service, fleet, options } = site;
  const random = seeded(wave.seed);
  if (wave.ending === 'calm') {
    await site.settle();
    return;
  }
  const outage = pick(OUTAGES, random);
  options.timeline.say(
    `${wave.ending} with the database ${outage}, ${service.writers} → ${wave.writers} writers`,
  );
  const back = await takeAway(site, outage);
  // A backlog of a length of chance.
  await sleep(100 + random() * 700);
  const isHot = wave.ending === 'hot kill';
  if (!isHot) await site.settle();
  await service.exclusively(async () => {
    await (wave.ending === 'drain' ? service.drain() : service.kill());
    if (isHot) await fleet.silence();
    // Dead letters of a stopped reporter are replayed in its journal.
    if (random() < 0.3) await replayStopped(site);
    if (random() < 0.4) await killWhileStarting(site, wave.writers, random() * 1500);
    const starting = service.start(wave.writers);
    if (random() < 0.5) await starting;
    await back();
    await starting;
  });
}

/** Resolves to what brings it back. */
async function takeAway({ database }: Site, outage: (typeof OUTAGES)[number]): Promise<() => Promise<void>> {
  const { server, network } = database;
  switch (outage) {
    case 'killed':
      await server.kill9();
      return () => server.start();
    case 'paused':
      await server.pause();
      return async () => server.resume();
    case 'cut off':
      network.refuses = true;
      network.cut();
      return async () => {
        network.refuses = false;
      };
  }
}

/** A process that is killed again while it replays, changes its layout, or has just begun to take reports. */
async function killWhileStarting({ service }: Site, writers: number, afterMs: number): Promise<void> {
  const starting = service.start(writers);
  await Promise.race([sleep(afterMs), starting.then(() => sleep(afterMs / 2))]);
  if (service.state !== 'down') await service.kill();
  await starting;
}

async function replayStopped({ service, options }: Site): Promise<void> {
  const { code, stderr } = await runCli(['dead-letters', 'replay', '--all', '--config', service.configFile]);
  if (code !== 0)
    options.timeline.violation(`dead-letters replay on a stopped reporter ended with ${code}: ${stderr}`);
}

/** Everything works, the agents are silent: has what is left stored, dead letters, too. */
export async function drainAll(site: Site): Promise<void> {
  const { admin, service, options } = site;
  await site.drained();
  if ((await admin.letters()).length === 0) return;
  const { code, stderr } = await service.exclusively(() =>
    runCli(['dead-letters', 'replay', '--all', '--config', service.configFile]),
  );
  if (code !== 0) options.timeline.violation(`dead-letters replay ended with ${code}: ${stderr}`);
  await site.drained();
}
