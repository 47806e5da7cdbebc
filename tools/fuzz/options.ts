import { numberOf, optionsOf, UsageError } from '../shared/tool.js';

export const USAGE = `npm run fuzz -- [options]
  --target NAME   decoder (default): frames and reports, cut anywhere, against the plain reference;
                  service: a whole reporter over sockets, hostile agents and one good neighbour at a time;
                  proxy: PROXY headers, byte by byte;
                  tls: handshakes with a whole reporter, cut off, damaged, or anything, beside good agents
  --runs N        streams (default 100000 for decoder and proxy, 5000 for service and tls)
  --seed N        int32; stream i has the seed N + i (default: of the clock)
  --agents N      streams that come at the same time, service and tls only (default 64)
`;

const TARGETS = ['decoder', 'service', 'proxy', 'tls'] as const;
export type FuzzTarget = (typeof TARGETS)[number];

export interface FuzzOptions {
  readonly target: FuzzTarget;
  readonly runs: number;
  readonly seed: number;
  readonly agents: number;
}

/** Throws UsageError. */
export function fuzzOptions(args: readonly string[]): FuzzOptions | 'help' {
  const values = optionsOf(args, {
    target: { type: 'string', default: 'decoder' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    agents: { type: 'string', default: '64' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return 'help';
  const target = TARGETS.find((one) => one === values.target);
  if (target === undefined) throw new UsageError(`--target ${values.target}: takes ${TARGETS.join(', ')}`);
  const isQuick = target === 'decoder' || target === 'proxy';
  return {
    target,
    runs: numberOf('--runs', values.runs ?? (isQuick ? '100000' : '5000'), {
      from: 1,
      to: 1_000_000_000,
    }),
    seed: numberOf('--seed', values.seed ?? String(Date.now() & 0x7fffffff), {
      from: -0x80000000,
      to: 0x7fffffff,
    }),
    agents: numberOf('--agents', values.agents, { from: 1, to: 1000 }),
  };
}
