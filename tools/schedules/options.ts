import { numberOf, optionsOf } from '../shared/tool.js';

export const USAGE = `npm run schedules -- [options]
  --count N   schedules (default 100000)
  --seed N    int32; schedule i has the seed N + i (default: of the clock)
  --help      prints this
`;

export interface ScheduleOptions {
  readonly count: number;
  readonly seed: number;
}

/** Throws UsageError. */
export function scheduleOptions(args: readonly string[]): ScheduleOptions | 'help' {
  const values = optionsOf(args, {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return 'help';
  return {
    count: numberOf('--count', values.count, { from: 1, to: 1_000_000_000 }),
    seed: numberOf('--seed', values.seed ?? String(Date.now() & 0x7fffffff), {
      from: -0x80000000,
      to: 0x7fffffff,
    }),
  };
}
