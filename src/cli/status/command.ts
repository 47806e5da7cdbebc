import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import { LEVELS, type Level } from '../../view/shapes.js';
import { adminAddress } from '../admin-client.js';
import { integerOption, MAX_INT32, MIN_INT32, strictInteger } from '../numbers.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { addressOption, ipOption } from '../target.js';
import { EXIT_DONE, EXIT_FAILED, type Terminal, UnaskedError, UsageError } from '../terminal.js';
import { type Answered, Reporter, type Subject } from './asking.js';
import { checkLine, NAGIOS, unknownLine } from './check-line.js';
import { pageOf } from './status-page.js';
import { mediumOf } from './terminal-style.js';
import { isInTrouble } from './trouble.js';
import { watch } from './watch.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000_000;
const DEFAULT_WATCH_S = 2;

interface StatusOptions extends CommonOptions {
  readonly admin?: Address;
  readonly service?: { readonly modid: number; readonly cmdid: number };
  readonly host?: number;
  readonly caller?: number;
  readonly changes?: string | true;
  readonly gone?: boolean;
  readonly reporter?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly check?: boolean;
  readonly level?: Level;
  readonly limit?: number;
  readonly all?: boolean;
  readonly watch?: number | true;
  readonly failOn: Level;
  /** `--no-color` */
  readonly color: boolean;
}

/** `lars-reporter status`: what the view of a running reporter knows, for people. */
export function statusCommand(terminal: Terminal): Command {
  const levels = (flags: string, description: string) => new Option(flags, description).choices(LEVELS);
  return commandWith(
    'Shows which services are in trouble, since when, and who says so, as a running reporter sees it.\n' +
      'Exit code: 0 nothing is in trouble, 1 something is, 2 wrong usage, 3 the reporter cannot be asked.',
    'lars-reporter status --service 4242/17',
  )
    .option('--service <modid/cmdid>', 'one service: its hosts, and what callers say of them', serviceOption)
    .option('--host <ip>', 'one address in all services', ipOption)
    .option('--caller <ip>', 'one caller, beside what the others say', ipOption)
    .option('--changes [since]', 'what changed in this time, such as 15m, 2h or an ISO time (default: 15m)')
    .option('--gone', 'machines that lost the connection, to be restarted')
    .option('--reporter', 'the reporter itself: what is wrong with it, and its numbers')
    .addOption(levels('--level <level>', 'services of this level and above (default: failing)'))
    .option('--limit <n>', `most lines of a list (default: ${DEFAULT_LIMIT})`, integerOption(1, MAX_LIMIT))
    .option('--all', 'services of every level, and those not heard for long, all of them')
    .option('--json', 'print what the API answers, as one JSON document')
    .option('--csv', 'print the list as CSV')
    .option('--check', 'print one line for Nagios and the like; exit 0, 1, 2 or 3')
    .option(
      '--watch [seconds]',
      `show it again and again (default: every ${DEFAULT_WATCH_S} s)`,
      integerOption(1, 3600),
    )
    .addOption(
      levels('--fail-on <level>', 'exit 1 when something is at this level or above').default('failing'),
    )
    .option('--no-color', 'no colours; NO_COLOR and FORCE_COLOR are heeded, too')
    .option(
      '--admin <host:port>',
      'ask the reporter there (default: admin of the configuration)',
      addressOption,
    )
    .action((_: unknown, command: Command) => status(command.opts<StatusOptions>(), terminal));
}

function serviceOption(text: string): { readonly modid: number; readonly cmdid: number } {
  const [first = '', second = '', ...more] = text.split('/');
  const [modid, cmdid] = [first, second].map((part) => strictInteger(part, MIN_INT32, MAX_INT32));
  if (modid === undefined || cmdid === undefined || more.length > 0)
    throw new InvalidArgumentError('Expected MODID/CMDID, such as 4242/17.');
  return { modid, cmdid };
}

async function status(options: StatusOptions, terminal: Terminal): Promise<void> {
  refuseContradictions(options);
  const subject = subjectOf(options);
  if (options.check) return check(options, terminal);
  const reporter = reporterOf(options, terminal);
  const sayExit = (isTrouble: boolean) => {
    terminal.exitCode = isTrouble ? EXIT_FAILED : EXIT_DONE;
  };
  if (options.csv) {
    terminal.print(await reporter.csv(subject));
    return sayExit(isInTrouble(await reporter.ask(subject), options.failOn));
  }
  const medium = () =>
    mediumOf({
      isTerminal: process.stdout.isTTY,
      columns: process.stdout.columns,
      env: process.env,
      noColour: !options.color,
    });
  if (options.watch !== undefined) {
    const everyMs = (options.watch === true ? DEFAULT_WATCH_S : options.watch) * 1000;
    const show = options.json
      ? (answered: Answered) => [JSON.stringify(documentOf(answered))]
      : (answered: Answered) => pageOf(answered, medium()).lines;
    const last = await watch({ reporter, subject, everyMs, medium, show, isPlain: options.json ?? false });
    return sayExit(last !== undefined && isInTrouble(last, options.failOn));
  }
  const answered = await reporter.ask(subject);
  if (options.json) terminal.print(JSON.stringify(documentOf(answered), null, 2));
  else terminal.print(pageOf(answered, medium()).lines.join('\n'));
  sayExit(isInTrouble(answered, options.failOn));
}

function reporterOf(options: StatusOptions, terminal: Terminal): Reporter {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const { token, viewToken, tls } = config.admin;
  return new Reporter(options.admin ?? adminAddress(config), token ?? viewToken, tls.cert);
}

function refuseContradictions({ check: checks, json, csv, watch: watches, ...options }: StatusOptions): void {
  const refuse = (given: Readonly<Record<string, unknown>>, why: string) => {
    const names = Object.keys(given).filter((name) => given[name] !== undefined && given[name] !== false);
    if (names.length > 1) throw new UsageError(`${names.join(' and ')} ${why}: give one of them`);
  };
  const { service, host, caller, changes, gone, reporter, level, all } = options;
  refuse(
    {
      ...{ '--service': service, '--host': host, '--caller': caller },
      ...{ '--changes': changes, '--gone': gone, '--reporter': reporter },
      ...{ '--check': checks, '--all': all, '--level': level && !checks ? level : undefined },
    },
    'show different things',
  );
  refuse({ '--json': json, '--csv': csv, '--check': checks }, 'are different outputs');
  refuse({ '--watch': watches, '--csv': csv }, 'do not go together');
  refuse({ '--watch': watches, '--check': checks }, 'do not go together');
  refuse({ '--csv': csv, '--reporter': reporter }, 'do not go together');
}

function subjectOf(options: StatusOptions): Subject {
  const { service, host, caller, changes, gone, reporter, level = 'failing', all = false } = options;
  const { limit = DEFAULT_LIMIT } = options;
  if (service) return { kind: 'service', ...service, limit };
  if (host !== undefined) return { kind: 'host', ip: formatIpv4(host) };
  if (caller !== undefined) return { kind: 'caller', ip: formatIpv4(caller), limit };
  if (changes !== undefined) return { kind: 'changes', since: changes === true ? '15m' : changes, limit };
  if (gone) return { kind: 'gone', limit };
  if (reporter) return { kind: 'reporter' };
  if (all) return { kind: 'services', min: 'ok', limit: options.limit ?? MAX_LIMIT, hidden: true };
  return { kind: 'services', min: level, limit, hidden: false };
}

/** What the API answers; with a list of services comes how the reporter is. */
function documentOf({ reporter, found }: Answered): object {
  switch (found.kind) {
    case 'services':
      return { ...found.services, reporter };
    case 'service':
      return found.service;
    case 'host':
      return found.host;
    case 'caller':
      return found.caller;
    case 'changes':
      return found.changes;
    case 'gone':
      return found.gone;
    case 'reporter':
      return reporter;
  }
}

/** Monitoring systems read standard output and the exit code, and nothing else. */
async function check(options: StatusOptions, terminal: Terminal): Promise<void> {
  const result = await checked(options, terminal).catch((error: unknown) => {
    if (error instanceof UnaskedError) return unknownLine(error.message);
    throw error;
  });
  terminal.print(result.line);
  terminal.exitCode = NAGIOS[result.state];
}

async function checked(options: StatusOptions, terminal: Terminal) {
  const reporter = reporterOf(options, terminal);
  const answered = await reporter.ask({ kind: 'services', min: 'ok', limit: 1, hidden: false });
  if (answered.found.kind !== 'services') throw new Error('no services were asked for');
  return checkLine(answered.reporter, answered.found.services, options.failOn);
}
