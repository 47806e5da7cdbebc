import { constants } from 'node:os';
import { backoffMs } from '../model/backoff.js';
import { messageOf } from '../model/errors.js';
import type { AgentPort, Role, Signal, Upward } from './channel.js';
import { HandOver } from './hand-over.js';
import type { RawHandle } from './handles.js';
import { HeldConnections, heldLimit } from './held.js';
import { HeldPorts } from './held-ports.js';
import type { KeeperLog } from './keeper-log.js';
import { type ChildEnd, KeptChild } from './kept-child.js';

/** Pauses before a child that has ended is replaced. */
const PAUSES = { firstMs: 50, lastMs: 5000 };
/** A child that took reports for so long was a good one: the next pause is the first again. */
const GOOD_AFTER_MS = 30_000;
const TURNED_AWAY_EVERY_MS = 100;
/** A signal that the child got is obeyed after so long, unless this process got it, too, within that time before. */
const RELAY_MS = 200;
const SAME_SIGNAL_MS = 2000;

export interface KeeperOptions {
  readonly log: KeeperLog;
  /** Sockets that were bound before this process began, by the name of their port. */
  readonly inherited: ReadonlyMap<string, number>;
  /** Files that this process may have open; undefined where nobody knows. */
  readonly openFiles: number | undefined;
  /** SIGHUP drains: whoever looks at the terminal has left. */
  readonly isOnTerminal: boolean;
}

/**
 * Accepts connections, keeps a copy of each, which it never reads, and sees to it that there is a child that does.
 * There is nothing here that could fail for what agents send: nothing of it is looked at.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #log: KeeperLog;
  readonly #held = new HeldConnections();
  readonly #ports: HeldPorts;
  #child: KeptChild;
  #handOver: HandOver<KeptChild> | undefined;
  #isStopping = false;
  /** A signal to stop that came in a hand-over, for who reads at its end. */
  #stopWith: Signal | undefined;
  /** Ends of children in a row. */
  #failures = 0;
  #readyMs = 0;
  #wasReady = false;
  #restart: NodeJS.Timeout | undefined;
  #maxHeld: number;
  #turnedAway = 0;
  /** When this process itself got a signal the last time. */
  readonly #signalledMs = new Map<Signal, number>();
  readonly #ended: Promise<number>;
  #end: (code: number) => void = () => {};

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#maxHeld = heldLimit(Number.POSITIVE_INFINITY, options.openFiles);
    this.#ports = new HeldPorts({
      inherited: options.inherited,
      onConnection: (handle, port) => this.#accept(handle, port),
      onError: (status) => this.#log.warn({ status }, 'the system hands over no connection'),
    });
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#child = this.#start('first');
  }

  /** Resolves with the exit code when everything has ended. */
  get ended(): Promise<number> {
    return this.#ended;
  }

  /** A signal came to this process. */
  signal(signal: Signal): void {
    this.#signalledMs.set(signal, performance.now());
    this.#obey(signal);
  }

  /** A signal came to the child. Most come to the whole group, and this process has it then, or is about to. */
  #relayed(signal: Signal): void {
    setTimeout(() => {
      const sinceMs = performance.now() - (this.#signalledMs.get(signal) ?? Number.NEGATIVE_INFINITY);
      if (sinceMs > SAME_SIGNAL_MS) this.#obey(signal);
    }, RELAY_MS);
  }

  #obey(signal: Signal): void {
    if (signal === 'SIGUSR2') this.#beginHandOver(signal);
    else if (signal === 'SIGHUP' && !this.#options.isOnTerminal) this.#reload();
    else this.#stop(signal);
  }

  #start(role: Role): KeptChild {
    const child: KeptChild = new KeptChild({
      ...{ role, held: this.#held },
      onMessage: (message) => this.#hear(child, message),
      onEnd: (end) => this.#hasEnded(child, end),
    });
    return child;
  }

  #accept(handle: RawHandle, port: AgentPort): void {
    if (this.#held.size >= this.#maxHeld) {
      // An orderly end would look to the agent as if what it has sent had arrived.
      handle.reset();
      if (this.#turnedAway++ === 0) setTimeout(() => this.#tellTurnedAway(), TURNED_AWAY_EVERY_MS).unref();
      return;
    }
    const id = this.#held.add(handle, port);
    this.#child.copy(id);
    this.#handOver?.next.copy(id);
  }

  #tellTurnedAway(): void {
    if (this.#child.hasEnded) {
      setTimeout(() => this.#tellTurnedAway(), TURNED_AWAY_EVERY_MS).unref();
      return;
    }
    this.#child.tell({ kind: 'turned-away', count: this.#turnedAway });
    this.#turnedAway = 0;
  }

  #hear(child: KeptChild, message: Upward): void {
    // Of one that has handed over and ends.
    if (child !== this.#child && child !== this.#handOver?.next) return;
    switch (message.kind) {
      case 'hello':
        child.startCopies();
        child.whenSent(() => child.tell({ kind: 'all-sent', count: this.#held.size }));
        break;
      case 'limits':
        child.limits = message;
        if (child === this.#child) this.#obeyLimits(child);
        break;
      case 'bind':
        void this.#bind(child, message);
        break;
      case 'failed':
        child.why = message.why;
        this.#handOver?.failed(child, message.why);
        break;
      case 'reading':
        child.isReading = true;
        this.#held.read(child.unsent);
        this.#handOver?.reads(child);
        break;
      case 'ready':
        child.isReady = true;
        this.#wasReady = true;
        this.#readyMs = performance.now();
        break;
      case 'introduced':
        this.#held.introduce(message.id, message.peer);
        break;
      case 'heard':
        this.#held.trust(message.ids);
        break;
      case 'closed':
        for (const id of message.ids) this.#held.close(id);
        this.#handOver?.over(child, message.ids);
        break;
      case 'hand-over':
        this.#beginHandOver(message.why);
        break;
      case 'signal':
        this.#relayed(message.signal);
        break;
      default:
        this.#handOver?.hear(child, message);
    }
  }

  /** As the configuration of who reads says: a successor's is of no matter before it takes over. */
  #obeyLimits({ limits }: KeptChild): void {
    if (!limits) return;
    this.#maxHeld = heldLimit(limits.maxConnections, this.#options.openFiles);
    this.#log.level = limits.level;
  }

  async #bind(
    child: KeptChild,
    { ask, name, host, port, backlog }: Upward & { kind: 'bind' },
  ): Promise<void> {
    try {
      const isNext = child === this.#handOver?.next;
      const { bound, handle } = await this.#ports.bind(name, { host, port }, backlog, isNext);
      child.tell({ kind: 'bound', ask, ...bound }, handle);
    } catch (error) {
      child.tell({ kind: 'not-bound', ask, why: messageOf(error) });
    }
  }

  #beginHandOver(why: string): void {
    const off = (reason: string): void => {
      this.#log.warn({ why: reason }, 'no hand-over; the process that reads goes on');
      this.#child.tell({ kind: 'not-handed', why: reason });
    };
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) {
      off(obstacle);
      return;
    }
    this.#log.info({ reason: why }, 'handing over to a new process');
    const next = this.#start('successor');
    const handOver = new HandOver(this.#child, next, {
      onPrepared: () => this.#log.info({ pid: next.pid }, 'the new process is prepared; the old one lets go'),
      onDone: (reader) => {
        this.#handOver = undefined;
        this.#child = reader;
        this.#obeyLimits(reader);
        if (reader === next) {
          this.#ports.keepWanted();
          this.#log.info({ pid: next.pid }, 'handed over; every connection without TLS goes on');
        } else this.#ports.dropWanted();
        if (this.#stopWith) this.#stop(this.#stopWith);
      },
      onFailed: off,
      onLost: () => {
        this.#handOver = undefined;
        this.#ports.dropWanted();
        this.#again();
      },
    });
    this.#handOver = handOver;
  }

  /** Why nothing can be handed over now. */
  #obstacle(): string | undefined {
    if (this.#isStopping) return 'the reporter stops';
    if (this.#handOver) return 'there is a hand-over already';
    return this.#child.isReady && !this.#child.hasEnded ? undefined : 'the reporter is starting';
  }

  #reload(): void {
    if (this.#child.isReady && !this.#handOver) this.#child.tell({ kind: 'reload' });
    else this.#log.warn({}, 'the configuration is not read again: the reporter is starting, or hands over');
  }

  #stop(signal: Signal): void {
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#handOver?.abandon();
    if (this.#handOver && (isFirst || signal === 'SIGHUP')) {
      // One lets go, the other does not read yet: neither could drain.
      if (!this.#stopWith) this.#log.info({ signal }, 'the reporter stops when the hand-over is over');
      this.#stopWith ??= signal;
      return;
    }
    this.#stopWith = undefined;
    this.#ports.stopAccepting();
    const next = this.#handOver?.next;
    const reader = next && !next.hasEnded ? next : this.#child;
    if (!reader.hasEnded) reader.tell({ kind: 'signal', signal });
    else if (isFirst) {
      this.#log.warn({ signal }, 'stopped while no process read; what is pending stays in the journal');
      this.#finish(0);
    }
  }

  #hasEnded(child: KeptChild, end: ChildEnd): void {
    if (this.#isStopping && !this.#stopWith && child === this.#handOver?.next) {
      this.#child.kill();
      this.#finish(codeOf(end));
      return;
    }
    if (this.#handOver?.ended(child) || child !== this.#child) return;
    // Whoever has started the reporter waits for it, and is told as if there were no keeper.
    if (this.#isStopping || !this.#wasReady) {
      this.#finish(codeOf(end));
      return;
    }
    if (child.isReady && performance.now() - this.#readyMs > GOOD_AFTER_MS) this.#failures = 0;
    const { code, signal } = end;
    const what = { pid: child.pid, ...(signal ? { signal } : { code }), connections: this.#held.size };
    this.#log.error(what, 'the process that reads has ended; a new one gets its connections');
    this.#again();
  }

  /** Starts a child in place of one that has ended. */
  #again(): void {
    if (this.#isStopping) {
      this.#finish(1);
      return;
    }
    this.#restart = setTimeout(
      () => {
        this.#child = this.#start('again');
      },
      backoffMs(++this.#failures, PAUSES),
    );
  }

  #finish(code: number): void {
    clearTimeout(this.#restart);
    this.#ports.close();
    this.#end(code);
  }
}

/** As a shell tells it. */
function codeOf({ code, signal }: ChildEnd): number {
  return code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 1);
}
