import { type Config, differenceOf, type LoadedConfig, newContents } from '../../config/index.js';
import { messageOf } from '../../model/errors.js';
import type { ReloadDesk, ReloadOutcome } from '../../model/reload.js';
import type { HeldReporter } from '../../reporter.js';
import type { CommonOptions } from '../common.js';
import type { Log } from '../log.js';
import { loadSettings } from '../settings.js';
import type { Terminal } from '../terminal.js';

export interface ReloadSources {
  readonly options: CommonOptions;
  readonly terminal: Terminal;
  readonly log: Log;
  /** What it was started with. */
  readonly loaded: LoadedConfig;
  /** While it runs. */
  readonly reporter: () => HeldReporter | undefined;
  /** Asks for a new process; resolves when one is prepared, rejects with why not. Undefined where nobody can. */
  readonly handOver?: (why: string) => Promise<void>;
  readonly onApplied?: (config: Config) => void;
}

/** Reads the configuration again while the reporter runs. */
export class Reload implements ReloadDesk {
  readonly #sources: ReloadSources;
  #loaded: Pick<LoadedConfig, 'config' | 'digests'>;

  constructor(sources: ReloadSources) {
    this.#sources = sources;
    this.#loaded = sources.loaded;
  }

  /** What holds now. */
  get config(): Config {
    return this.#loaded.config;
  }

  preview(): ReloadOutcome {
    return this.#look().outcome;
  }

  async reload(): Promise<ReloadOutcome> {
    const { outcome, next } = this.#look();
    const { logger } = this.#sources.log;
    const result = next ? await this.#apply(outcome, next) : outcome;
    const keys = result.changes.map(({ key }) => key);
    if (result.why === undefined)
      logger.info({ outcome: result.outcome, keys }, 'the configuration was read again');
    else logger.error({ error: result.why }, 'the configuration was not taken; nothing has changed');
    return result;
  }

  /** What there is to do, and with which configuration. */
  #look(): { readonly outcome: ReloadOutcome; readonly next?: LoadedConfig } {
    const { options, terminal, handOver } = this.#sources;
    let next: LoadedConfig;
    try {
      next = loadSettings(options, terminal);
    } catch (error) {
      return { outcome: { outcome: 'invalid', changes: [], why: messageOf(error) } };
    }
    const changes = differenceOf(this.#loaded.config, next.config);
    const renewed = newContents(this.#loaded.digests, next.digests);
    changes.push(...renewed.filter(({ key }) => !changes.some((one) => one.key === key)));
    const stuck = changes.filter(({ how }) => how === 'restart' || (how === 'hand-over' && !handOver));
    if (stuck.length > 0) {
      const why = `only a restart changes ${stuck.map(({ key }) => key).join(', ')}`;
      return { outcome: { outcome: 'failed', changes, why } };
    }
    if (changes.length === 0) return { outcome: { outcome: 'unchanged', changes } };
    const isHandOver = changes.some(({ how }) => how === 'hand-over');
    return { outcome: { outcome: isHandOver ? 'hand-over' : 'in-place', changes }, next };
  }

  async #apply(outcome: ReloadOutcome, next: LoadedConfig): Promise<ReloadOutcome> {
    const { reporter, log, handOver, onApplied } = this.#sources;
    const running = reporter();
    if (!running) return { ...outcome, outcome: 'failed', why: 'the reporter is starting, or stops' };
    if (outcome.outcome === 'hand-over') {
      try {
        await handOver?.(`changed: ${outcome.changes.map(({ key }) => key).join(', ')}`);
        return outcome;
      } catch (error) {
        return { ...outcome, outcome: 'failed', why: messageOf(error) };
      }
    }
    const { config } = next;
    try {
      running.apply(config);
    } catch (error) {
      return { ...outcome, outcome: 'failed', why: messageOf(error) };
    }
    log.logger.level = config.log.level;
    this.#loaded = next;
    onApplied?.(config);
    return outcome;
  }
}
