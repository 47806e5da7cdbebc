import { parseArgs } from 'node:util';

export const USAGE = `npm run fuzz -- [options]
  --target NAME   decoder (default): frames and reports, cut anywhere, against the plain reference;
                  service: a whole reporter over sockets, hostile agents and one good neighbour at a time
  --runs N        streams (default 100000 for the decoder, 5000 for the service)
  --seed N        int32; stream i has the seed N + i (default: of the clock)
  --agents N      streams that come at the same time, service only (default 64)
`;

export interface FuzzOptions {
  readonly target: 'decoder' | 'service';
  readonly runs: number;
  readonly seed: number;
  readonly agents: number;
}

/** Throws TypeError with one line that names the option, its value, and what it takes. */
export function fuzzOptions(args: readonly string[]): FuzzOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', default: 'decoder' },
      runs: { type: 'string' },
      seed: { type: 'string' },
      agents: { type: 'string', default: '64' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { target } = values;
  if (target !== 'decoder' && target !== 'service')
    throw new TypeError(`--target ${target}: takes decoder or service`);
  return {
    target,
    runs: whole('--runs', values.runs ?? (target === 'decoder' ? '100000' : '5000'), 1, 1_000_000_000),
    seed: whole('--seed', values.seed ?? String(Date.now() & 0x7fffffff), -0x80000000, 0x7fffffff),
    agents: whole('--agents', values.agents, 1, 1000),
  };
}

function whole(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < from || value > to)
    throw new TypeError(`${name} ${text}: takes a whole number from ${from} to ${to}`);
  return value;
}
