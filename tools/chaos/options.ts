import { numberOf, optionsOf, UsageError } from '../shared/tool.js';

export const USAGE = `npm run chaos -- [options]
  --minutes N   how long faults go on, 0.1 and more (default 5)
  --seed N      an integer; repeats the plan of a run (default: one of chance, printed first)
  --short       four short waves in which every kind of fault comes, a minute and a half
  --help        prints this
`;

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly short: boolean;
  readonly help: boolean;
}

const MAX_SEED = 0xffff_ffff;

/** Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const { minutes, seed, short, help } = optionsOf(args, {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (short && minutes !== undefined)
    throw new UsageError('--minutes and --short contradict each other: leave one out');
  return {
    minutes: numberOf('--minutes', minutes ?? '5', { from: 0.1, to: 10_000, fraction: true }),
    seed: numberOf('--seed', seed ?? String(Math.floor(Math.random() * MAX_SEED)), { from: 0, to: MAX_SEED }),
    short,
    help,
  };
}
