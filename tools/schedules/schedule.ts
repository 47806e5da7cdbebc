import { Dice } from '../../src/testing/dice.js';
import { Broken } from './broken.js';
import { type Plan, planOf } from './plan.js';
import { type Happened, World } from './world.js';

export interface Outcome {
  readonly plan: Plan;
  readonly happened: Happened;
  /** The promise that was broken, if one was. */
  readonly broken: string | undefined;
}

/** Runs what a seed decides; the same seed, the same schedule. */
export function runSchedule(seed: number): Outcome {
  const dice = new Dice(seed);
  const plan = planOf(dice);
  const world = new World(plan, dice);
  try {
    world.run();
    return { plan, happened: world.happened, broken: undefined };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { plan, happened: world.happened, broken: error.message };
  }
}
