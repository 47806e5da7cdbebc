import { numberOf, optionsOf } from '../../shared/tool.js';

export const USAGE = `npm run trial:notice -- [options]
  --minutes N   how long it goes on, 0.1 and more (default 10)
  --agents N    agents, each with a connection (default 1000)
  --seed N      an integer; repeats the plan of a run (default: one of chance, printed first)
  --help        prints this
`;

export interface Options {
  readonly minutes: number;
  readonly agents: number;
  readonly seed: number;
  readonly help: boolean;
}

const MAX_SEED = 0xffff_ffff;
/** Local ports of one address are not many more. */
const MAX_AGENTS = 20_000;

/** Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const { minutes, agents, seed, help } = optionsOf(args, {
    minutes: { type: 'string', default: '10' },
    agents: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  return {
    minutes: numberOf('--minutes', minutes, { from: 0.1, to: 10_000, fraction: true }),
    agents: numberOf('--agents', agents, { from: 1, to: MAX_AGENTS }),
    seed: numberOf('--seed', seed ?? String(Math.floor(Math.random() * MAX_SEED)), { from: 0, to: MAX_SEED }),
    help,
  };
}
