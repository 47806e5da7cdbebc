import { setTimeout as sleep } from 'node:timers/promises';
import { encodeReportFrame } from '../../src/client/index.js';
import { numberedReport, seeded } from '../../src/testing/index.js';
import { holds, socketAt } from '../shared/procfs.js';
import type { Shape } from './checks.js';
import type { History } from './history.js';
import { Link } from './link.js';
import type { Service } from './service.js';
import type { Timeline } from './timeline.js';

/** Agents, each its own pace. */
const LONGEST_PAUSE_MS = 150;
const RECONNECT_MS = 60;
const LOOK_MS = 10;
/** Rounds after which an agent is known as a good one, whatever becomes of the process that reads it. */
const TRUSTED_AFTER = 3;
/** One of so many agents speaks TLS. */
const SECURE_EVERY = 3;
/** Rounds on one connection, at most: then an agent closes in order and connects again. */
const MOST_ROUNDS = 40;

export interface FleetOptions extends Shape {
  readonly port: number;
  /** Where every third agent connects, with TLS, and whom it trusts. */
  readonly secure?: { readonly port: number; readonly ca: Buffer };
  /** One agent each. */
  readonly callers: readonly number[];
  readonly seed: number;
  readonly service: Service;
  readonly history: History;
  readonly timeline: Timeline;
  /** Nothing is waited for any more. */
  readonly signal: AbortSignal;
}

/**
 * - `going`: it sends round after round.
 * - `settling`: it goes on until the reporter has read a whole round of it to its end, then it is silent.
 * - `silent`: it sends nothing more, whatever became of its last round.
 */
type Mode = 'going' | 'settling' | 'silent';

/**
 * Agents that send numbered reports, every host of every service in each round, over connections that they make anew
 * whenever they lose them. A number is never sent twice: who is cut off goes on with the next one, and only when the
 * reporter holds the old connection no more, for order is that in which bytes are read.
 */
export class Fleet {
  /** Connections that are made now may be turned away: too many are open. */
  isFlooded = false;
  readonly #agents: readonly Agent[];

  constructor(options: FleetOptions) {
    const isFlooded = () => this.isFlooded;
    this.#agents = options.callers.map((caller, index) => {
      const isSecure = index % SECURE_EVERY === 0;
      return new Agent(caller, { ...options, isSecure, isFlooded, random: seeded(options.seed + index) });
    });
  }

  get connected(): number {
    return this.#sum((agent) => (agent.isConnected ? 1 : 0));
  }

  /** Rows of all rounds that were begun. */
  get rowsSent(): number {
    return this.#sum((agent) => agent.rowsSent);
  }

  get reconnects(): number {
    return this.#sum((agent) => agent.reconnects);
  }

  /** All agents send, or go on. */
  go(): void {
    this.#turn('going');
  }

  /** Every agent delivers one whole round more, closes in order, and is silent then. Resolves when all are. */
  async settle(): Promise<void> {
    this.#turn('settling');
    await Promise.all(this.#agents.map((agent) => agent.isSettled()));
  }

  /** Every agent stops where it is. Resolves when no connection is left. */
  async silence(): Promise<void> {
    this.#turn('silent');
    await Promise.all(this.#agents.map((agent) => agent.isSettled()));
  }

  /** Breaks off the connections of some agents, in whatever state they are; they come back by themselves. */
  async cut(share: number, random: () => number): Promise<number> {
    const chosen = this.#agents.filter(() => random() < share);
    const cuts = await Promise.all(chosen.map((agent) => agent.cut(random() < 0.5 ? 'reset' : 'close')));
    return cuts.filter(Boolean).length;
  }

  /** Ends all agents. */
  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.close()));
  }

  #turn(mode: Mode): void {
    for (const agent of this.#agents) agent.turn(mode);
  }

  #sum(of: (agent: Agent) => number): number {
    return this.#agents.reduce((sum, agent) => sum + of(agent), 0);
  }
}

interface AgentOptions extends FleetOptions {
  readonly isSecure: boolean;
  readonly isFlooded: () => boolean;
  readonly random: () => number;
}

class Agent {
  readonly #caller: number;
  readonly #options: AgentOptions;
  readonly #random: () => number;
  /** Where it connects. */
  readonly #port: number;
  /** Whom it trusts; undefined without TLS. */
  readonly #ca: Buffer | undefined;
  readonly #running: Promise<void>;
  #mode: Mode | 'closed' = 'silent';
  #settled = true;
  #link: Link | undefined;
  /** Set by a cut: connecting waits for it. */
  #letGo: Promise<void> = Promise.resolve();
  /** Rounds that were begun. */
  #rounds = 0;
  reconnects = 0;

  constructor(caller: number, options: AgentOptions) {
    const secure = options.isSecure ? options.secure : undefined;
    this.#caller = caller;
    this.#options = options;
    this.#random = options.random;
    this.#port = secure?.port ?? options.port;
    this.#ca = secure?.ca;
    this.#running = this.#run();
  }

  get isConnected(): boolean {
    return this.#link?.isOpen ?? false;
  }

  get rowsSent(): number {
    return this.#rounds * this.#options.services * this.#options.hosts;
  }

  turn(mode: Mode): void {
    if (this.#mode === 'closed') return;
    this.#mode = mode;
    this.#settled = false;
  }

  /** Resolves when it is silent, or is told something else. */
  async isSettled(): Promise<void> {
    const { signal } = this.#options;
    const mode = this.#mode;
    while (!this.#settled && this.#mode === mode && !signal.aborted) await sleep(LOOK_MS);
  }

  /**
   * Breaks off the connection, if the reporter has accepted it: one that still waits to be accepted could be read
   * after the one that replaces it.
   */
  async cut(how: 'reset' | 'close'): Promise<boolean> {
    const { service } = this.#options;
    const link = this.#link;
    if (!link?.isOpen) return false;
    const socket = socketAt(this.#port, link.localPort);
    if (socket === undefined) return false;
    this.#letGo = this.#isLetGo(socket, service.endings);
    await link.cut(how);
    return true;
  }

  async close(): Promise<void> {
    this.#mode = 'closed';
    this.#link?.cut('close');
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#mode !== 'closed') {
      if (this.#settled || this.#mode === 'silent') {
        this.#settled = true;
        await sleep(LOOK_MS);
        continue;
      }
      await this.#letGo;
      await this.#connection();
      await sleep(this.#random() * RECONNECT_MS);
    }
  }

  /** One connection, from its beginning to its end. */
  async #connection(): Promise<void> {
    const { service, history, timeline, isFlooded } = this.#options;
    const { losses, endings, changes } = service;
    // A connection with TLS ends in a hand-over, whichever of the two processes it is of.
    const isSecure = this.#ca !== undefined;
    let mayBeTurnedAway = isFlooded() || service.state === 'ending' || (isSecure && service.isChanging);
    const link = await Link.open(this.#port, this.#ca);
    mayBeTurnedAway ||= isFlooded();
    if (!link) return;
    this.#link = link;
    this.reconnects++;
    let round = 0;
    let rounds = 0;
    for (let left = 1 + Math.floor(this.#random() * MOST_ROUNDS); left > 0 && link.isOpen; left--) {
      // Told to stop, it owes a whole round if it is to settle, and nothing otherwise.
      if (this.#mode === 'silent' || this.#mode === 'closed') break;
      const isLast = this.#mode === 'settling';
      const number = await this.#sendRound(link);
      if (number === undefined) break;
      round = number;
      rounds++;
      if (isLast) break;
      await sleep(this.#random() * LONGEST_PAUSE_MS);
    }
    const wasSettling = this.#mode === 'settling' && round > 0;
    const end = await link.finish();
    this.#link = undefined;
    // What is sent while the other side ends a connection is not read, and that looks like an end in order.
    if (mayBeTurnedAway || (isSecure && (service.changes !== changes || service.endings !== endings))) return;
    const hasLost = service.losses !== losses;
    if (end === 'read to its end' && round > 0 && !hasLost) {
      history.wasRead(this.#caller, round, service.incarnation);
      if (wasSettling && this.#mode === 'settling') this.#settled = true;
    }
    // Of a peer that has sent little nobody knows whether it is to be trusted in the middle of a frame.
    const isYoung = hasLost && rounds < TRUSTED_AFTER;
    // Nobody but a reporter that ends, or one that has too many connections, may end a good agent's.
    if (end === 'lost' && service.endings === endings && !isYoung)
      timeline.violation(`agent ${this.#caller} lost its connection, and nothing that was done explains it`);
  }

  /** Resolves to its number when the system has all of it. */
  async #sendRound(link: Link): Promise<number | undefined> {
    const { history, services, hosts } = this.#options;
    const number = history.nextRound(this.#caller);
    this.#rounds++;
    const frames = Array.from({ length: services }, (_, service) =>
      encodeReportFrame(numberedReport(service, this.#caller, hosts, number)),
    );
    const bytes = Buffer.concat(frames);
    // Cut anywhere, so that a connection that is broken off often ends in the middle of a frame.
    const middle = Math.floor(this.#random() * bytes.length);
    if (!(await link.send(bytes.subarray(0, middle)))) return undefined;
    return (await link.send(bytes.subarray(middle))) ? number : undefined;
  }

  /** Resolves when all processes of the reporter have closed their copies of a connection, or it has ended. */
  async #isLetGo(socket: string, endings: number): Promise<void> {
    const { service } = this.#options;
    while (service.endings === endings && service.state !== 'down') {
      if (!service.pids.some((pid) => holds(pid, socket))) return;
      await sleep(LOOK_MS);
    }
  }
}
