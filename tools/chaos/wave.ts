import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/testing/index.js';
import type { Fault } from './faults/fault.js';
import type { PlannedFault, Wave } from './schedule.js';
import type { Timeline } from './timeline.js';

export interface WaveOptions {
  readonly wave: Wave;
  readonly faults: readonly Fault[];
  readonly timeline: Timeline;
  /** Faults that are not in force when it is aborted do not begin; all that are end before `runWave` resolves. */
  readonly signal: AbortSignal;
  /** Told of each fault that began. */
  readonly onFault: (name: string) => void;
}

/** Lets the faults of a wave begin and end when they should. Resolves when all are over. */
export async function runWave(options: WaveOptions): Promise<void> {
  const { wave } = options;
  const beganMs = performance.now();
  const groups = new Set(wave.faults.map(({ group }) => group));
  const until = (atMs: number) =>
    sleep(Math.max(0, beganMs + atMs - performance.now()), undefined, { signal: options.signal }).catch(
      () => {},
    );
  await Promise.all([
    until(wave.lengthMs),
    ...[...groups].map(async (group) => {
      // One after the other: one that takes long to end holds up the next of its group.
      for (const planned of wave.faults.filter((fault) => fault.group === group)) {
        await until(planned.beginMs);
        if (options.signal.aborted) return;
        await inForce(planned, options, () => until(planned.endMs));
      }
    }),
  ]);
}

async function inForce(
  { name, seed }: PlannedFault,
  { faults, timeline, onFault }: WaveOptions,
  lasts: () => Promise<void>,
): Promise<void> {
  const fault = faults.find((one) => one.name === name)!;
  try {
    timeline.say(`+ ${name}`);
    onFault(name);
    await fault.begin(seeded(seed));
    await lasts();
  } catch (error) {
    timeline.violation(`${name} could not begin: ${String(error)}`);
  }
  try {
    await fault.end();
    timeline.say(`- ${name}`);
  } catch (error) {
    timeline.violation(`${name} could not be ended: ${String(error)}`);
  }
}
