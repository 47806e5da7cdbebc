import type { Config } from '../config/index.js';
import { errorOf, ReporterError } from '../model/errors.js';
import type { Logger } from '../model/log.js';
import { Teardown } from '../model/teardown.js';
import { Traffic } from '../model/traffic.js';
import { packageVersion } from '../model/version.js';
import { Events } from '../observe/events.js';
import { HostEvents } from '../observe/host.js';
import { eventLog, unfailing } from '../observe/log.js';
import { LoopLag } from '../observe/loop-lag.js';
import { Metrics } from '../observe/metrics.js';
import { Vitals } from '../observe/vitals.js';
import { isReference, type ParentRef } from '../runtime/actors.js';
import { liveConfig } from './live-config.js';
import type { ReporterOptions } from './options.js';
import { StatusBoard } from './status-board.js';
import type { Ways } from './ways.js';

/** Looked at already. */
interface HostParent {
  readonly system?: ParentRef;
}

/** What every stage stands on. */
export interface Foundation {
  readonly config: Config;
  readonly options: ReporterOptions & HostParent;
  readonly ways: Ways;
  /** Where stages tell what happens. */
  readonly events: Events;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly status: StatusBoard;
  readonly traffic: Traffic;
  readonly vitals: Vitals;
  /** Where a stage adds what ends it, as soon as there is something to end. */
  readonly teardown: Teardown;
  /** Ends all stages that have started, the last one first. Never rejects; idempotent. */
  end(): Promise<void>;
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Lays the foundation: the events, and who takes them. Touches nothing outside the process. Throws ReporterError
 * CONFIG_INVALID for options that are unusable.
 */
export function layFoundation(settings: Config, given: ReporterOptions, ways: Ways): Foundation {
  const { system, ...others } = given;
  if (system !== undefined && !isReference(system))
    throw new ReporterError('CONFIG_INVALID', 'system: what is given is no reference of nact');
  const options = system === undefined ? others : { ...others, system };
  const config = liveConfig(settings);
  const events = new Events();
  const logger = unfailing(options.logger ?? SILENT);
  const traffic = new Traffic();
  const status = new StatusBoard(traffic, events, ways.keeper);
  const source = () => status.read();
  const { listen, writers } = config;
  const metrics = new Metrics({ limits: listen, writers: writers.count, source, version: packageVersion() });
  if (logger.discardedLines) metrics.countDiscardedLines(logger.discardedLines);
  const lag = new LoopLag();
  const vitals = new Vitals({ limits: listen, source, lag, onLag: (lags) => metrics.observeLag(lags) });
  events.subscribe(status.observe);
  events.subscribe(metrics.observe);
  events.subscribe(vitals.observe);
  events.subscribe(eventLog(logger));
  const host = options.onEvent ? new HostEvents(options.onEvent) : undefined;
  // Last: nothing of the reporter's comes after what a host may do.
  if (host) events.subscribe(host.observe);
  const teardown = new Teardown();
  teardown.add('the watch of the event loop', () => lag.stop());
  const end = async () => {
    await teardown.run((part, error) =>
      events.emit({ type: 'teardown-failed', part, error: errorOf(error) }),
    );
    status.enter('stopped');
    host?.flush();
  };
  return { config, options, ways, events, logger, metrics, status, traffic, vitals, teardown, end };
}
