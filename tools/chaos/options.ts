import { parseArgs } from 'node:util';

export const USAGE = `npm run chaos -- [options]
  --minutes N   how long faults go on, 0.1 and more (default 5)
  --seed N      an integer; repeats the plan of a run (default: one of chance, printed first)
  --short       three short waves in which every kind of fault comes, about half a minute
  --help        prints this
`;

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly short: boolean;
  readonly help: boolean;
}

/** The command was given something it cannot work with; the message names it, its value and what to do. */
export class UsageError extends Error {
  override name = 'UsageError';
}

const MAX_SEED = 0xffff_ffff;

/** Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const { minutes, seed, short, help } = parsed(args);
  if (short && minutes !== undefined)
    throw new UsageError('--minutes and --short contradict each other: leave one out');
  return {
    minutes: numberOf(
      '--minutes',
      minutes ?? '5',
      (value) => value >= 0.1 && value <= 10_000,
      'a number from 0.1 to 10000',
    ),
    seed: numberOf(
      '--seed',
      seed ?? String(Math.floor(Math.random() * MAX_SEED)),
      (value) => Number.isInteger(value) && value >= 0 && value <= MAX_SEED,
      `an integer from 0 to ${MAX_SEED}`,
    ),
    short,
    help,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        short: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}; --help lists what there is`);
  }
}

function numberOf(name: string, text: string, isRight: (value: number) => boolean, what: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!isRight(value)) throw new UsageError(`${name} ${text} is not ${what}`);
  return value;
}
