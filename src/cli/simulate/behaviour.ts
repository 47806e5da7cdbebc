import { type Command, InvalidArgumentError, Option } from 'commander';
import { RULES, type RulesName } from '../../simulation/index.js';
import { UsageError } from '../terminal.js';
import {
  addConditionOptions,
  CONDITIONS_HELP,
  type Counted,
  type GivenCondition,
  givenConditions,
} from './condition-options.js';
import type { Traffic } from './traffic.js';
import { Workload, type WorkloadShape } from './workload.js';
import { WorldTraffic } from './world-traffic.js';

/** Options that decide how agents behave. */
export interface BehaviourOptions {
  readonly behaviour: 'load' | 'agent';
  readonly rules?: RulesName;
  readonly errors?: number;
  readonly window?: number;
}

/** Agents of these are objects, a host each: what fits in about half a gigabyte. */
const MAX_AGENT_KEYS = 1_000_000;
const DEFAULT_ERRORS = 0.001;
const DEFAULT_WINDOW_S = 15;

/** Adds `--behaviour` and all that goes with it. */
export function addBehaviourOptions(command: Command): Command {
  command
    .addOption(
      new Option(
        '--behaviour <kind>',
        'load: every host has calls all the time, for as many reports as wanted; ' +
          'agent: calls, windows, overload and probes as with real agents, a report after each call',
      )
        .choices(['load', 'agent'])
        .default('load'),
    )
    .addOption(
      new Option(
        '--rules <name>',
        'what agents go by: Lars as shipped, as its code has it, or ELB (default: lars)',
      ).choices(Object.keys(RULES)),
    )
    .addOption(
      new Option(
        '--errors <share>',
        'share of calls that fail where nothing is wrong (default: 0.001)',
      ).argParser(shareOption),
    );
  return addConditionOptions(command).addHelpText('after', CONDITIONS_HELP);
}

/** What the agents of a simulation send. `rate`: reports a second of all of them. Throws UsageError. */
export function trafficFrom(
  options: BehaviourOptions,
  shape: Omit<WorkloadShape, 'windowMs' | 'windowReports'>,
  rate: number,
): Traffic {
  const given = givenConditions(options);
  if (options.behaviour === 'load') {
    refuseForLoad(options, given);
    const windowS = options.window ?? DEFAULT_WINDOW_S;
    const windowReports = rate === 0 ? undefined : (rate * windowS) / shape.agents;
    return new Workload({ ...shape, windowReports, windowMs: windowS * 1000 });
  }
  const { agents, services, hosts } = shape;
  refuseForAgent(options, rate, agents * services * hosts);
  for (const condition of given) refuseBeyond(condition, shape);
  return new WorldTraffic({
    ...shape,
    callsPerSecond: rate / (agents * services),
    errorShare: options.errors ?? DEFAULT_ERRORS,
    rules: RULES[options.rules ?? 'lars'],
    conditions: given.map(({ condition }) => condition),
  });
}

function refuseForLoad({ rules, errors }: BehaviourOptions, [first]: readonly GivenCondition[]): void {
  const flag =
    (first && `${first.flag} ${first.text}`) ??
    (rules && `--rules ${rules}`) ??
    (errors !== undefined ? `--errors ${errors}` : undefined);
  if (flag) throw new UsageError(`${flag} is for agents that behave like real ones: add --behaviour agent`);
}

function refuseForAgent({ window }: BehaviourOptions, rate: number, keys: number): void {
  if (window !== undefined) {
    throw new UsageError(
      `--window ${window} is for --behaviour load: leave it out, agents have windows of their own (--rules)`,
    );
  }
  if (rate === 0) {
    throw new UsageError(
      '--rate 0 is for --behaviour load: give the calls a second of all agents together, such as --rate 1000',
    );
  }
  if (keys > MAX_AGENT_KEYS) {
    throw new UsageError(
      `--agents, --services and --hosts make ${keys} keys: lower one of them, ` +
        `at most ${MAX_AGENT_KEYS} fit with --behaviour agent`,
    );
  }
}

function refuseBeyond(
  { flag, text, highest }: GivenCondition,
  there: Readonly<Record<Counted, number>>,
): void {
  for (const counted of ['agents', 'services', 'hosts'] as const) {
    const number = highest[counted] ?? 0;
    if (number <= there[counted]) continue;
    throw new UsageError(
      `${flag} ${text} names number ${number} of ${there[counted]} ${counted}: ` +
        `name 1 to ${there[counted]}, or raise --${counted}`,
    );
  }
}

function shareOption(text: string): number {
  const share = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('Expected a number from 0 to 1, such as 0.01.');
}
