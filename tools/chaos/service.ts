import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../src/index.js';
import { readMeta } from '../../src/lmdb/meta.js';
import { until } from '../../src/testing/index.js';
import { CliProcess, type CliResult } from '../shared/process.js';
import { unexpectedLines } from './checks.js';
import type { Probe } from './probe.js';
import { readProbe } from './read-probe.js';
import type { Timeline } from './timeline.js';

/**
 * - `down`: there is no process.
 * - `starting`: not ready yet; it replays its journal.
 * - `up`: it takes reports.
 * - `paused`: SIGSTOP.
 * - `ending`: it is being killed or drained.
 */
export type ServiceState = 'down' | 'starting' | 'up' | 'paused' | 'ending';

export interface ServiceOptions {
  /** Folder for configuration, journal and logs. */
  readonly dir: string;
  /** All but the number of writers. */
  readonly config: ConfigInput;
  readonly writers: number;
  readonly timeline: Timeline;
}

const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));
const START_BOUND_MS = 90_000;
/** Beyond `shutdown.drainMs`: what it takes to close everything, on a busy machine. */
const END_BOUND_MS = 60_000;
/** An operator who sees that the database refuses the reporter tries again after so long. */
const RETRY_MS = 300;

/** The reporter: `lars-reporter serve` as a process, which is started, killed, stopped and started again. */
export class Service {
  state: ServiceState = 'down';
  /** How many processes there were. */
  incarnation = 0;
  /** Begun endings of the reporter: who has seen it change has lost its connection for a reason. */
  endings = 0;
  /** Kills of the process that reads, by which no connection ends: what it had read and not journaled is lost. */
  losses = 0;
  /** Begun changes of the process that reads: connections with TLS end by them. */
  changes = 0;
  /** Another process takes over: what is asked may be answered by either. */
  isChanging = false;
  /** Told when all that process `from` has read is journaled, or `to` has it. */
  onCarried: (from: number, to: number) => void = () => {};
  /** The process whose disk takes nothing now, if any. */
  fullPid: number | undefined;
  /** The incarnation that process is of. */
  fullIncarnation: number | undefined;
  /** Whether the disk is full now, for whatever process there is. */
  isDiskFull = false;
  readonly #options: ServiceOptions;
  #writers: number;
  #cli: CliProcess | undefined;
  /** Whether the database refuses the reporter's user now, and how often it began to. */
  #isRefused = false;
  #refusals = 0;
  #lifecycle: Promise<unknown> = Promise.resolve();
  /** Errors that this reporter has a reason to log, and whether it has one for any. */
  #expected: readonly string[] = [];
  #expectsAny = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#writers = options.writers;
    // However this process ends, that one must not outlive it.
    process.on('exit', () => this.#cli?.child.kill('SIGKILL'));
  }

  get writers(): number {
    return this.#writers;
  }

  /** The database refuses the reporter's user from now on, or not: a reporter that starts then exits with 2. */
  refuse(isRefused: boolean): void {
    this.#isRefused = isRefused;
    if (isRefused) this.#refusals++;
  }

  get configFile(): string {
    return path.join(this.#options.dir, 'config.json');
  }

  get journalFile(): string {
    return path.join(this.#options.dir, 'journal', 'data.mdb');
  }

  /** Of the process that reads now, if there is one: a keeper that starts has none yet. */
  get reader(): number | undefined {
    return this.#cli?.childPids.at(-1);
  }

  /** Of the process that reads now; of its keeper while there is none. */
  get pid(): number {
    const pid = this.reader ?? this.#cli?.child.pid;
    if (pid === undefined || this.state === 'down') throw new Error('the reporter does not run');
    return pid;
  }

  /** All processes of the reporter, its keeper among them. */
  get pids(): readonly number[] {
    const { child, childPids } = this.#cli ?? {};
    return child?.pid === undefined ? [] : [child.pid, ...(childPids ?? [])];
  }

  /** What the present processes have logged so far. */
  get log(): string {
    return this.#cli?.stderr ?? '';
  }

  /** Runs `action` while nobody else starts or ends the process. */
  exclusively<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#lifecycle.then(action);
    this.#lifecycle = result.catch(() => {});
    return result;
  }

  /**
   * Starts a process, unless there is one; resolves when it takes reports, or, with false, when somebody has ended it
   * before.
   */
  async start(writers = this.#writers): Promise<boolean> {
    if (this.#cli) return true;
    this.#writers = writers;
    const { config, dir } = this.#options;
    const all = { ...config, writers: { ...config.writers, count: writers } };
    writeFileSync(this.configFile, JSON.stringify(all, undefined, 2));
    for (;;) {
      // A refusal that is in force now, or comes before it is ready.
      const refusals = this.#refusals - (this.#isRefused ? 1 : 0);
      if (this.isDiskFull) this.#takeReserve();
      const cli = new CliProcess(['serve', '--config', this.configFile], {
        cwd: dir,
        env: {
          TMPDIR: path.join(dir, 'tmp'),
          NODE_OPTIONS: `--import=${new URL(`file://${PROBE}`).href}`,
          CHAOS_PROBE: this.#probeFile,
        },
      });
      this.#cli = cli;
      this.#expected = [];
      this.#expectsAny = false;
      this.incarnation++;
      this.state = 'starting';
      const { incarnation } = this;
      const ended = cli.exited.then((result) => this.#ended(cli, incarnation, refusals, result));
      await until(() => cli.stdout.includes('\n') || this.#cli !== cli, {
        boundMs: START_BOUND_MS,
        what: 'the reporter to be ready',
      });
      if (this.#cli === cli && this.#state() === 'starting') {
        this.state = 'up';
        return true;
      }
      if ((await ended) !== 'refused') return false;
      await sleep(RETRY_MS);
    }
  }

  /** SIGKILL to all of its processes; nothing when there is no process. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; resolves when the process has ended by itself. */
  async drain(): Promise<void> {
    const { code, signal } = (await this.#end('SIGTERM')) ?? { code: 0 };
    if (code !== 0)
      this.#options.timeline.violation(`a reporter that was told to stop ended with ${code ?? signal}`);
  }

  /**
   * Lets `begin` make another process read, or try to; resolves when the log says `isOver`. Nothing when the reporter is
   * not up. `loses`: what the one before had read and not journaled. `expected`: errors that it has reason to log.
   */
  async change(
    what: 'loses' | 'loses nothing',
    isOver: RegExp,
    begin: (pids: { readonly keeper: number; readonly reader: number }) => void,
    expected: readonly string[] = [],
  ): Promise<void> {
    const cli = this.#cli;
    const { reader, incarnation } = this;
    if (!cli || reader === undefined || this.state !== 'up') return;
    const from = cli.stderr.length;
    // A successor whose database is away gives up and says why; the process that reads goes on.
    if (what === 'loses nothing') this.#expected = [...this.#expected, 'mysql://'];
    this.#expected = [...this.#expected, ...expected];
    if (what === 'loses') {
      this.losses++;
      this.#expected = [...this.#expected, 'the process that reads has ended'];
    }
    this.isChanging = true;
    this.changes++;
    this.incarnation++;
    begin({ keeper: cli.child.pid!, reader });
    await until(
      () => {
        // A process that starts meanwhile has reason to complain, and the keeper to try again.
        if (this.#isRefused || this.isDiskFull) this.#expectsAny = true;
        return this.#cli !== cli || isOver.test(cli.stderr.slice(from));
      },
      { boundMs: START_BOUND_MS, what: `the log to say ${isOver}` },
    );
    if (this.#cli === cli) {
      const isOther = this.reader !== reader;
      if (isOther) this.incarnation++;
      else this.incarnation = incarnation;
      if (what === 'loses nothing') this.onCarried(incarnation, this.incarnation);
      this.onCarried(incarnation + 1, this.incarnation);
    }
    this.isChanging = false;
  }

  /** SIGKILL to the keeper alone: the process that reads journals what it has, and ends. */
  async killKeeper(): Promise<void> {
    this.#expected = [...this.#expected, 'the keeper is gone'];
    await this.#end('SIGKILL', (cli) => {
      cli.child.kill('SIGKILL');
      return cli.exited;
    });
  }

  /** SIGSTOP; nothing when there is no process. */
  pause(): void {
    if (this.state !== 'up') return;
    process.kill(this.pid, 'SIGSTOP');
    this.state = 'paused';
  }

  /** SIGCONT. */
  resume(): void {
    if (this.state !== 'paused') return;
    process.kill(this.pid, 'SIGCONT');
    this.state = 'up';
  }

  /** What the process holds, as its probe writes it. */
  async probe(): Promise<Probe> {
    return readProbe(this.pid, this.#probeFile);
  }

  /** Checks what the present process has logged so far. */
  checkLog(): void {
    if (this.#cli) this.#checkLog(this.#cli, this.incarnation);
  }

  get #probeFile(): string {
    return path.join(this.#options.dir, 'probe.json');
  }

  async #end(
    signal: 'SIGKILL' | 'SIGTERM',
    stop = (cli: CliProcess) => cli.stop(signal),
  ): Promise<CliResult | undefined> {
    const cli = this.#cli;
    if (!cli) return undefined;
    this.endings++;
    this.state = 'ending';
    const stuck = setTimeout(() => {
      this.#options.timeline.violation(`the reporter does not end on ${signal}`);
      cli.child.kill('SIGKILL');
    }, END_BOUND_MS);
    const result = await stop(cli);
    clearTimeout(stuck);
    return result;
  }

  #ended(
    cli: CliProcess,
    incarnation: number,
    refusals: number,
    { code, signal, stderr }: CliResult,
  ): 'refused' | 'ended' {
    const { timeline, dir } = this.#options;
    const wasAsked = this.state === 'ending';
    const isStarting = this.state === 'starting';
    // A change of writers.count, for one thing, needs room.
    const isTurnedAway =
      incarnation === this.fullIncarnation && code === 1 && stderr.includes(': make room on');
    const isRefused = isStarting && (isTurnedAway || (code === 2 && this.#refusals > refusals));
    if (this.#cli === cli) {
      this.#cli = undefined;
      this.state = 'down';
    }
    writeFileSync(path.join(dir, `reporter-${incarnation}.log`), stderr);
    this.#checkLog(cli, incarnation, isRefused);
    if (isRefused) return 'refused';
    if (!wasAsked) {
      this.endings++;
      timeline.violation(
        `reporter ${incarnation} ended by itself with ${code ?? signal}: ${stderr.slice(-500)}`,
      );
    }
    return 'ended';
  }

  /** Cuts off what the journal's file has beyond what is used of it, as copies of it are made. */
  #takeReserve(): void {
    if (!existsSync(this.journalFile)) return;
    const fd = openSync(this.journalFile, 'r+');
    const meta = readMeta(fd);
    if (meta && meta.usedBytes < fstatSync(fd).size) ftruncateSync(fd, meta.usedBytes);
    closeSync(fd);
  }

  #checkLog(cli: CliProcess, incarnation: number, isRefused = false): void {
    const { timeline } = this.#options;
    // The last line may not be whole yet.
    const whole = cli.stderr.slice(0, cli.stderr.lastIndexOf('\n') + 1);
    const isAny = isRefused || this.#expectsAny;
    for (const line of unexpectedLines(whole, isAny, this.#expected).slice(0, 5))
      timeline.violation(`reporter ${incarnation} logs: ${line.slice(0, 500)}`);
  }

  /** Not narrowed by the compiler: others change it meanwhile. */
  #state(): ServiceState {
    return this.state;
  }
}
