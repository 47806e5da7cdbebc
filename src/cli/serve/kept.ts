import type { Config, LoadedConfig } from '../../config/index.js';
import type { KeeperLink } from '../../keeper/link.js';
import { messageOf } from '../../model/errors.js';
import { KeptWays } from '../../node/kept-ways.js';
import { type HeldReporter, startWithWays } from '../../reporter.js';
import type { CommonOptions } from '../common.js';
import type { Log } from '../log.js';
import { loadSettings } from '../settings.js';
import { EXIT_DONE, EXIT_FAILED, exitCodeOf, type Terminal } from '../terminal.js';
import { exitWith, printReady, StopSignal, stop } from './ending.js';
import { handedOver, piecesFor } from './handed-over.js';
import { prepare } from './prepare.js';
import { Reload } from './reload.js';
import { openServeLog } from './serve-log.js';

/** What is read must be journaled, and the process gone, so long after its keeper. */
const ORPHAN_MS = 4500;

/** `serve` for a keeper, which holds ports and connections: they go on when this process ends. */
export async function serveKept(options: CommonOptions, terminal: Terminal, link: KeeperLink): Promise<void> {
  let loaded: LoadedConfig;
  try {
    loaded = loadSettings(options, terminal);
  } catch (error) {
    link.tell({ kind: 'failed', why: messageOf(error) });
    throw error;
  }
  const { config, warnings } = loaded;
  const log = await openServeLog(config.log.level, terminal);
  tellLimits(link, config);
  for (const warning of warnings) log.logger.warn({}, warning);
  try {
    await new KeptServe({ options, loaded, log, terminal, link }).run();
    terminal.exitCode = EXIT_DONE;
  } catch (error) {
    link.tell({ kind: 'failed', why: messageOf(error) });
    log.failure('error', terminal.debug ? { error } : {}, messageOf(error));
    terminal.exitCode = exitCodeOf(error);
  }
  await log.close();
}

function tellLimits(link: KeeperLink, { listen, log }: Config): void {
  link.tell({ kind: 'limits', maxConnections: listen.maxConnections, level: log.level });
}

/** What the keeper, or who stops the reporter, has asked for. */
type Wish =
  | { readonly kind: 'stop'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'let-go' | 'take-over' | 'end' };

interface KeptParts {
  readonly options: CommonOptions;
  readonly loaded: LoadedConfig;
  readonly log: Log;
  readonly terminal: Terminal;
  readonly link: KeeperLink;
}

/** A child of a keeper, from its start to its end. */
class KeptServe {
  readonly #loaded: LoadedConfig;
  readonly #log: Log;
  readonly #terminal: Terminal;
  readonly #link: KeeperLink;
  readonly #stopSignal: StopSignal;
  readonly #reload: Reload;
  /** Who asked for a hand-over waits for what comes of it. */
  #handingOver: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #reporter: HeldReporter | undefined;
  #wish: Wish | undefined;
  #whenWished: (() => void) | undefined;

  constructor({ options, loaded, log, terminal, link }: KeptParts) {
    this.#loaded = loaded;
    this.#log = log;
    this.#terminal = terminal;
    this.#link = link;
    this.#stopSignal = new StopSignal(log);
    // Whoever signals this process means the reporter; a whole group gets most signals, and the keeper is of it.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
      process.on(signal, () => link.tell({ kind: 'signal', signal }));
    link.on('signal', this.#stopSignal.hear);
    void this.#stopSignal.asked.then((signal) => this.#wishFor({ kind: 'stop', signal }));
    for (const kind of ['let-go', 'take-over', 'end'] as const) link.on(kind, () => this.#wishFor({ kind }));
    link.on('orphaned', () => void this.#orphaned());
    this.#reload = new Reload({
      ...{ options, terminal, log, loaded },
      reporter: () => this.#reporter,
      handOver: (why) => this.#askForHandOver(why),
      onApplied: (config) => tellLimits(link, config),
    });
    link.on('reload', () => void this.#reload.reload());
    link.on('not-handed', (why) => this.#handingOver?.reject(new Error(why)));
    link.on('turned-away', (count) => this.#reporter?.turnedAway(count));
  }

  async run(): Promise<void> {
    const link = this.#link;
    const { role } = link;
    const reload = this.#reload;
    let ways = new KeptWays(link, reload);
    if (role === 'successor') {
      await prepare(this.#loaded.config, link);
      link.tell({ kind: 'prepared' });
      const { kind } = await this.#next();
      if (kind !== 'take-over') return;
      ways = new KeptWays(link, reload, handedOver(link.pieces.splice(0)));
    }
    for (let isFirst = role === 'first'; ; isFirst = false) {
      await this.#start(ways, isFirst);
      const wish = await this.#serving(ways);
      if (wish.kind === 'take-over') {
        // The successor has failed before it read anything.
        ways = new KeptWays(link, reload, new Map(ways.given));
        continue;
      }
      if (wish.kind === 'stop' && this.#reporter) await this.#stop(wish.signal, this.#reporter);
      return;
    }
  }

  async #start(ways: KeptWays, isFirst: boolean): Promise<void> {
    const { logger } = this.#log;
    const reporter = await startWithWays(this.#reload.config, { logger }, ways);
    this.#reporter = reporter;
    this.#link.tell({ kind: 'ready' });
    if (isFirst) printReady(reporter, this.#terminal);
    else void this.#tellResumed(reporter);
  }

  /** Serves until it is to stop, or has let go and hears how that went. */
  async #serving(ways: KeptWays): Promise<Wish> {
    for (;;) {
      const wish = await this.#next();
      if (wish.kind !== 'let-go') return wish;
      if (await this.#letGo(ways)) return await this.#next();
    }
  }

  /** Whether it has let go of everything. */
  async #letGo(ways: KeptWays): Promise<boolean> {
    // A successor is prepared: who waits for that is answered while there is still an admin HTTP.
    this.#handingOver?.resolve();
    const reporter = this.#reporter!;
    const link = this.#link;
    try {
      await reporter.letGo();
    } catch (error) {
      link.tell({ kind: 'failed', why: messageOf(error) });
      return false;
    }
    this.#reporter = undefined;
    const { pending, received } = reporter.ledger();
    for (const piece of piecesFor(ways.given)) await link.give(piece);
    const connections = ways.given.size;
    this.#log.logger.info({ connections, received, pending }, 'handed over; everything read is journaled');
    link.tell({ kind: 'gone' });
    return true;
  }

  #askForHandOver(why: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#handingOver = { resolve, reject };
      this.#link.tell({ kind: 'hand-over', why });
    });
  }

  async #stop(signal: NodeJS.Signals, reporter: HeldReporter): Promise<void> {
    const { logger } = this.#log;
    logger.info({ signal, drainMs: this.#reload.config.shutdown.drainMs }, 'stopping');
    await stop(reporter, logger);
  }

  async #tellResumed(reporter: HeldReporter): Promise<void> {
    await this.#link.allSent();
    const { resumed, handedOver, connections } = reporter.status().traffic;
    this.#log.logger.info({ resumed, handedOver, connections }, 'reading on where the process before ended');
  }

  /** The keeper is gone, and with it the ports: what was read is journaled, and that is all that can be done. */
  async #orphaned(): Promise<void> {
    this.#log.logger.error({}, 'the keeper is gone; what was read is journaled, then this process ends');
    setTimeout(() => void exitWith(EXIT_FAILED, this.#log), ORPHAN_MS);
    // At once: a new keeper needs its port.
    await this.#reporter?.closeAdmin();
    await this.#reporter?.stop();
    await exitWith(EXIT_FAILED, this.#log);
  }

  #wishFor(wish: Wish): void {
    // Who is to stop, stops.
    if (this.#wish?.kind !== 'stop') this.#wish = wish;
    this.#whenWished?.();
  }

  async #next(): Promise<Wish> {
    while (!this.#wish)
      await new Promise<void>((resolve) => {
        this.#whenWished = resolve;
      });
    const wish = this.#wish;
    this.#wish = undefined;
    return wish;
  }
}
