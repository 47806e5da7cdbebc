import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseIpv4 } from '../../model/ipv4.js';
import type { Condition, Selection, Span } from '../../simulation/index.js';
import { strictInteger } from '../numbers.js';

/** What the numbers of an option count. */
export type Counted = 'agents' | 'services' | 'hosts';

/** A condition as an option gave it, and the highest numbers in it: what there is of each is known later. */
export interface GivenCondition {
  readonly flag: string;
  readonly text: string;
  readonly condition: Condition;
  readonly highest: Partial<Record<Counted, number>>;
}

/** `WHO[@AMOUNT][,NAME=VALUE …]` in pieces. */
interface Pieces {
  readonly who: Selection;
  readonly highest: Partial<Record<Counted, number>>;
  readonly amount: string | undefined;
  readonly values: ReadonlyMap<string, string>;
}

interface Kind {
  readonly flag: string;
  /** What WHO counts. */
  readonly counts: Counted;
  /** What `@AMOUNT` is. */
  readonly amount: '' | `[@${string}]` | `@${string}`;
  readonly help: string;
  readonly values: readonly string[];
  readonly condition: (pieces: Pieces) => Condition;
}

const SPAN = ['from', 'to'];
const DEFAULT_FLAP_MS = 60_000;
const MAX_MS = 30 * 86_400_000;
const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const KINDS: readonly Kind[] = [
  {
    flag: '--sick-host',
    counts: 'hosts',
    amount: '[@share]',
    help: 'share of the calls to these hosts fails',
    values: [...SPAN, 'service'],
    condition: (pieces) => ({ kind: 'sick-host', ...hostsOf(pieces), ...shareOf(pieces), ...spanOf(pieces) }),
  },
  {
    flag: '--sick-caller',
    counts: 'agents',
    amount: '[@share]',
    help: 'share of the calls of these agents fails',
    values: SPAN,
    condition: (pieces) => ({
      kind: 'sick-caller',
      agents: pieces.who,
      ...shareOf(pieces),
      ...spanOf(pieces),
    }),
  },
  {
    flag: '--outage',
    counts: 'services',
    amount: '[@share]',
    help: 'share of the calls to these services fails, on every host',
    values: SPAN,
    condition: (pieces) => ({ kind: 'outage', services: pieces.who, ...shareOf(pieces), ...spanOf(pieces) }),
  },
  {
    flag: '--flap',
    counts: 'hosts',
    amount: '[@share]',
    help: 'as --sick-host, in turns: sick for on=60s, well for off=60s',
    values: [...SPAN, 'service', 'on', 'off'],
    condition: (pieces) => ({
      kind: 'flap',
      ...hostsOf(pieces),
      ...shareOf(pieces),
      ...spanOf(pieces),
      onMs: durationOf(pieces, 'on'),
      offMs: durationOf(pieces, 'off'),
    }),
  },
  {
    flag: '--silence',
    counts: 'agents',
    amount: '',
    help: 'these agents have no calls, so they do not report; they stay connected',
    values: SPAN,
    condition: (pieces) => ({ kind: 'silence', agents: pieces.who, ...spanOf(pieces) }),
  },
  {
    flag: '--withdraw',
    counts: 'hosts',
    amount: '',
    help: 'these hosts are not in the route',
    values: [...SPAN, 'service'],
    condition: (pieces) => ({ kind: 'withdraw', ...hostsOf(pieces), ...spanOf(pieces) }),
  },
  {
    flag: '--shared-caller',
    counts: 'agents',
    amount: '[@ip]',
    help: 'these agents all report as one caller, 127.0.1.1 unless given',
    values: [],
    condition: ({ who, amount }) => ({
      kind: 'shared-caller',
      agents: who,
      ...(amount === undefined ? {} : { caller: ipOf(amount) }),
    }),
  },
  {
    flag: '--clock-skew',
    counts: 'agents',
    amount: '@time',
    help: 'clocks of these agents are ahead by 5m, behind by -30s',
    values: SPAN,
    condition: (pieces) => ({
      kind: 'clock-skew',
      agents: pieces.who,
      skewMs: skewOf(pieces),
      ...spanOf(pieces),
    }),
  },
];

export const CONDITIONS_HELP = `
What is wrong, with --behaviour agent; each may be given several times:
  WHO[@AMOUNT][,from=TIME][,to=TIME][,service=WHO]
  WHO     hosts, agents or services, numbered from 1: 3, 1-2 or all
  AMOUNT  a share of calls from 0 to 1 (1 unless given), an address, or a time
  TIME    90s, 5m, 1h, 500ms; from the start of the simulation
For example:
  $ lars-reporter simulate --behaviour agent --sick-host 1 --sick-host 2@0.2,from=30s,to=5m --silence 1-20,from=60s`;

/** Adds an option for each kind of condition, all of which gather in `conditions`. */
export function addConditionOptions(command: Command): Command {
  for (const kind of KINDS) {
    const { flag, counts, amount, help, values } = kind;
    const takes = values.length === 0 ? '' : `; ${values.map((name) => `${name}=`).join(', ')}`;
    command.addOption(
      new Option(`${flag} <${counts}${amount}>`, `${help}${takes}`).argParser(
        (text: string, previous: readonly GivenCondition[] = []) => [...previous, givenCondition(kind, text)],
      ),
    );
  }
  return command;
}

/** The conditions among a command's options. */
export function givenConditions(options: object): GivenCondition[] {
  const byName = options as Readonly<Record<string, readonly GivenCondition[] | undefined>>;
  return KINDS.flatMap(({ flag }) => byName[propertyOf(flag)] ?? []);
}

function givenCondition(kind: Kind, text: string): GivenCondition {
  const pieces = piecesOf(kind, text);
  return { flag: kind.flag, text, condition: kind.condition(pieces), highest: pieces.highest };
}

function piecesOf({ counts, amount: form, values: known }: Kind, text: string): Pieces {
  const [head = '', ...assignments] = text.split(',');
  const [whoText = '', amount, ...more] = head.split('@');
  if (more.length > 0)
    throw new InvalidArgumentError(`There is more than one @ in '${head}': write WHO@AMOUNT.`);
  if (form === '' && amount !== undefined) {
    throw new InvalidArgumentError(`It takes no @${amount}: write ${whoText} alone.`);
  }
  if (amount === undefined && form.startsWith('@')) {
    throw new InvalidArgumentError(
      `It needs ${form}: write ${whoText || 'WHO'}@5m, or ${whoText || 'WHO'}@-30s.`,
    );
  }
  const highest: Partial<Record<Counted, number>> = {};
  const who = selectionOf(whoText, counts, highest);
  const values = new Map<string, string>();
  for (const assignment of assignments) {
    const [name = '', value] = assignment.split('=');
    if (value === undefined || !known.includes(name) || values.has(name)) {
      const takes = known.length === 0 ? 'nothing after a comma' : known.map((each) => `${each}=`).join(', ');
      const what = values.has(name) ? `is there twice` : 'means nothing here';
      throw new InvalidArgumentError(`'${assignment}' ${what}: it takes ${takes}.`);
    }
    values.set(name, value);
  }
  const service = values.get('service');
  if (service !== undefined) selectionOf(service, 'services', highest);
  return { who, highest, amount, values };
}

/** Numbers from 1, as people count, to a selection from 0. */
function selectionOf(text: string, counted: Counted, highest: Partial<Record<Counted, number>>): Selection {
  if (text === 'all') return 'all';
  const [firstText = '', lastText = firstText, ...more] = text.split('-');
  const first = strictInteger(firstText, 1, 1_000_000);
  const last = strictInteger(lastText, 1, 1_000_000);
  if (first === undefined || last === undefined || last < first || more.length > 0) {
    throw new InvalidArgumentError(
      `'${text}' names no ${counted}: write a number from 1, such as 3, or 1-2, or all.`,
    );
  }
  highest[counted] = last;
  return { first: first - 1, last: last - 1 };
}

function hostsOf({ who, values }: Pieces): { hosts: Selection; services: Selection } {
  return { hosts: who, services: selectionOf(values.get('service') ?? 'all', 'services', {}) };
}

function shareOf({ amount }: Pieces): { share?: number } {
  if (amount === undefined) return {};
  const share = /^\d*\.?\d+$/.test(amount) ? Number(amount) : Number.NaN;
  if (!(share >= 0 && share <= 1)) {
    throw new InvalidArgumentError(
      `'${amount}' is no share of calls: write 0 to 1, such as @0.5 for half of them.`,
    );
  }
  return { share };
}

function spanOf({ values }: Pieces): Span {
  const [from, to] = [values.get('from'), values.get('to')];
  const span = {
    ...(from === undefined ? {} : { fromMs: timeOf('from', from) }),
    ...(to === undefined ? {} : { toMs: timeOf('to', to) }),
  };
  if ((span.fromMs ?? 0) >= (span.toMs ?? Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError(`to=${to} is not after from=${from ?? '0s'}: let it end after it began.`);
  }
  return span;
}

function durationOf({ values }: Pieces, name: string): number {
  const text = values.get(name);
  if (text === undefined) return DEFAULT_FLAP_MS;
  const ms = timeOf(name, text);
  if (ms > 0) return ms;
  throw new InvalidArgumentError(
    `${name}=${text} is no time at all: write a longer one, such as ${name}=60s.`,
  );
}

function skewOf({ amount = '' }: Pieces): number {
  const sign = amount.startsWith('-') ? -1 : 1;
  return sign * timeOf('the time', amount.replace(/^[+-]/, ''));
}

/** Milliseconds; a number without a unit is seconds. */
function timeOf(name: string, text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Number(number) * MS_PER[unit]!;
  if (ms <= MAX_MS) return ms;
  throw new InvalidArgumentError(
    `'${text}' of ${name} is no time up to 30 days: write 90s, 5m, 1h or 500ms.`,
  );
}

function ipOf(text: string): number {
  const ip = parseIpv4(text);
  if (ip !== undefined) return ip;
  throw new InvalidArgumentError(`'${text}' is no IPv4 address: write one such as @127.0.1.1.`);
}

function propertyOf(flag: string): string {
  return new Option(flag).attributeName();
}
