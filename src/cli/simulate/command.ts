import { type Command, Option } from 'commander';
import type { Config } from '../../config/index.js';
import { StoreError } from '../../model/errors.js';
import { formatIpv4, parseIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import { SERVICES_PER_MODID } from '../../simulation/index.js';
import type { Store } from '../../store/contract.js';
import { openStore } from '../../store/open.js';
import { integerOption, MAX_INT32, MAX_UINT32, MIN_INT32 } from '../numbers.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { addressOption, ipOption } from '../target.js';
import { type Terminal, UsageError } from '../terminal.js';
import { type AgentTarget, addTlsOptions, type TlsOptions, targetFrom } from '../tls-options.js';
import type { SentKeys } from './agent-traffic.js';
import { addBehaviourOptions, type BehaviourOptions, trafficFrom } from './behaviour.js';
import { verify } from './compare.js';
import { showProgress } from './progress.js';
import { summaryOf, summaryText, type Verification, verificationText } from './summary.js';
import { Swarm } from './swarm.js';

interface SimulateOptions extends CommonOptions, BehaviourOptions, TlsOptions {
  readonly agents: number;
  readonly services: number;
  readonly hosts: number;
  readonly rate?: number;
  readonly duration: number;
  readonly reconnectEvery: number;
  readonly seed: number;
  readonly to?: Address;
  readonly modidBase: number;
  readonly firstCaller: number;
  readonly verify?: boolean;
  readonly verifyWait: number;
  readonly json?: boolean;
}

/** Keys of a simulation: what fits in about half a gigabyte. */
const MAX_KEYS = 20_000_000;
const MAX_AGENTS = 60_000;
const DAY_S = 86_400;

/** `lars-reporter simulate`: behaves like many real agents. */
export function simulateCommand(terminal: Terminal): Command {
  const command = commandWith(
    'Behaves like many real agents. Each has its own caller and connection. It reports on its services in turn, ' +
      'every host of a service at a time, with counters that grow within a window. ' +
      'With --behaviour agent it reports on calls, as a real agent does, and faults can be added.\n' +
      'Ends after --duration or at SIGINT, when the reporter has read everything. Then prints what was sent.',
    'lars-reporter simulate --agents 1000 --services 20 --rate 5000 --duration 60 --reconnect-every 30 --verify',
  )
    .option('--agents <n>', 'agents, each with a connection', integerOption(1, MAX_AGENTS), 100)
    .option('--services <n>', 'services that each agent reports on', integerOption(1, 1_000_000), 10)
    .option('--hosts <n>', 'hosts of a service, all in each report', integerOption(1, 1700), 10)
    .option(
      '--rate <n>',
      'reports a second of all agents together, calls with --behaviour agent; 0 = as many as the reporter takes ' +
        '(default: each agent reports on each service once a second)',
      integerOption(0, 10_000_000),
    )
    .option('--duration <s>', 'seconds to report; 0 = until SIGINT', integerOption(0, 30 * DAY_S), 10)
    .option('--window <s>', 'seconds after which counters begin anew (default: 15)', integerOption(1, DAY_S))
    .option(
      '--reconnect-every <s>',
      'each agent reconnects about every so many seconds and sends all services again; 0 = never',
      integerOption(0, DAY_S),
      0,
    )
    .option('--seed <n>', 'repeats counters, their order and reconnects', integerOption(0, MAX_INT32), 1)
    .addOption(
      new Option('--to <host:port>', 'reporter to send to (default: listen of the configuration)').argParser(
        addressOption,
      ),
    )
    .option('--modid-base <n>', 'modid of the first 100 services', integerOption(MIN_INT32, MAX_INT32), 1)
    .addOption(
      new Option('--first-caller <ip>', 'address of the first agent; the others follow')
        .argParser(ipOption)
        .default(parseIpv4('10.0.0.1'), '10.0.0.1'),
    )
    .option('--verify', 'afterwards compare the configured store with the last report of each key')
    .option(
      '--verify-wait <s>',
      'longest wait of --verify until they are equal, in seconds',
      integerOption(0, DAY_S),
      30,
    )
    .option('--json', 'print the summary as one line of JSON')
    .action((options: SimulateOptions) => simulate(options, terminal));
  return addBehaviourOptions(addTlsOptions(command));
}

async function simulate(options: SimulateOptions, terminal: Terminal): Promise<void> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const swarm = swarmFrom(options, targetFrom(options, options.to, config));
  const store = options.verify ? await openToVerify(config.store, terminal) : undefined;
  try {
    let failure = await report(swarm, terminal);
    const summary = summaryOf(swarm);
    if (!options.json) terminal.print(summaryText(summary));
    let verified: Verification | undefined;
    if (store && !failure) {
      try {
        verified = await verifyStore(store, swarm.traffic, options.verifyWait, terminal);
        failure = verified.equal ? undefined : differenceError(verified, options.verifyWait);
      } catch (error) {
        failure = error as Error;
      }
    }
    if (options.json)
      terminal.print(JSON.stringify({ ...summary, ...(verified ? { verify: verified } : {}) }));
    else if (verified) terminal.print(verificationText(verified));
    if (failure) throw failure;
  } finally {
    await store?.close();
  }
}

function swarmFrom(options: SimulateOptions, to: AgentTarget): Swarm {
  const { agents, services, hosts, seed, modidBase, firstCaller, duration } = options;
  const keys = agents * services * hosts;
  if (keys > MAX_KEYS) {
    throw new UsageError(
      `--agents ${agents} with --services ${services} and --hosts ${hosts} are ${keys} keys: ` +
        `lower one of them, at most ${MAX_KEYS} keys fit`,
    );
  }
  const lastModid = modidBase + Math.ceil(services / SERVICES_PER_MODID) - 1;
  if (lastModid > MAX_INT32) {
    throw new UsageError(
      `--modid-base ${modidBase} with --services ${services} ends at modid ${lastModid}: ` +
        `lower one of them, the largest modid is ${MAX_INT32}`,
    );
  }
  if ((firstCaller >>> 0) + agents - 1 > MAX_UINT32) {
    throw new UsageError(
      `--first-caller ${formatIpv4(firstCaller)} with --agents ${agents} ends after 255.255.255.255: lower one of them`,
    );
  }
  const rate = options.rate ?? agents * services;
  const shape = { agents, services, hosts, seed, modidBase, firstCaller };
  return new Swarm(trafficFrom(options, shape, rate), {
    to,
    rate,
    durationMs: duration === 0 ? Number.POSITIVE_INFINITY : duration * 1000,
    reconnectEveryMs: options.reconnectEvery * 1000,
  });
}

/** Runs the swarm to its end, which the first signal brings forward. Resolves with what went wrong after its start. */
async function report(swarm: Swarm, terminal: Terminal): Promise<Error | undefined> {
  const hideProgress = showProgress(swarm, terminal);
  const end = (): void => swarm.end();
  try {
    await swarm.start();
    process.once('SIGINT', end).once('SIGTERM', end);
    return await swarm.run().then(
      () => undefined,
      (error: Error) => error,
    );
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    hideProgress();
    swarm.destroy();
  }
}

/**
 * Opens the store before anything is sent, so that a mistake is known at once. A store that is only away may be
 * back when it is needed.
 */
async function openToVerify(config: Config['store'], terminal: Terminal): Promise<Store> {
  const store = openStore(config.url, config);
  try {
    await store.open();
  } catch (error) {
    if (!(error instanceof StoreError) || error.class === 'configuration') throw error;
    terminal.note(`warning: ${error.message}; trying again for --verify`);
  }
  return store;
}

async function verifyStore(
  { read, description }: Store,
  sent: SentKeys,
  waitS: number,
  terminal: Terminal,
): Promise<Verification> {
  if (!read) throw new Error(`${description} cannot be read, so --verify has nothing to compare with`);
  if (process.stderr.isTTY) terminal.note(`comparing ${sent.distinctKeys} keys with ${description} …`);
  const began = performance.now();
  const verdict = await verify(read, sent, waitS * 1000);
  return { ...verdict, store: description, seconds: Math.round(performance.now() - began) / 1000 };
}

function differenceError({ missing, stale, wrong, store }: Verification, waitS: number): Error {
  return new Error(
    `${store} does not hold what was sent (${missing} missing, ${stale} stale, ${wrong} wrong after ${waitS} s); ` +
      'check that this is the store of that reporter, and that the reporter has nothing pending',
  );
}
