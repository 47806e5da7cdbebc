import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentConnection, connectAgent } from '../client/index.js';
import { messageOf } from '../model/errors.js';
import type { Report } from '../model/report.js';
import type { RowValue } from './sequence.js';

export interface FleetShape {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** Where the reporter listens; a function is asked at each connect, as a new reporter may have a new port. */
  readonly port: number | (() => number);
  /** Agents, each with a connection and a caller of its own: 1 … agents. */
  readonly agents: number;
  /** Services that each agent reports on. */
  readonly services: number;
  /** Hosts of each service. */
  readonly hosts: number;
  /** Number of the first round; 1 unless given. */
  readonly firstRound?: number;
  /**
   * Whether agents that lose their connection make a new one, for as long as it takes, and begin their round again.
   * Otherwise `stop` rejects.
   */
  readonly reconnect?: boolean;
  /** Told of each report before it is sent: an `OrderChecker`. */
  readonly order?: { sent(report: Report): void };
  /** Pause of each agent between two rounds, in milliseconds; none unless given. */
  readonly pauseMs?: number;
}

/** Agents that send numbered reports, every host of every service in each round, until they are stopped. */
export interface Fleet {
  /** Rounds that all agents have sent so far. */
  readonly rounds: number;
  /** How often agents lost their connection and made a new one. */
  readonly reconnects: number;
  /**
   * Lets every agent finish its round and close in order, so that the reporter has read it all; resolves to the last
   * number each sent, by caller. Rejects when an agent cannot: with `reconnect`, when a whole round could not be
   * delivered within `boundMs` (60000 unless given).
   */
  stop(boundMs?: number): Promise<ReadonlyMap<number, number>>;
}

/** The report of one round: its number stands in `succ` of every host, and the rest follows from it. */
export function numberedReport(service: number, caller: number, hosts: number, round: number): Report {
  return {
    modid: 1 + (service % 100),
    cmdid: 1 + Math.floor(service / 100),
    caller,
    ts: NUMBERED_TS,
    results: Array.from({ length: hosts }, (_, host) => ({
      ip: 0xc0a80001 + service * 256 + host,
      port: 8000 + host,
      succ: round,
      err: round % 7,
      overload: isOverload(round),
    })),
  };
}

const NUMBERED_TS = 1_795_331_921;

/** It changes now and then: a value whose flag is that of the last one may wait in the writer, another may not. */
const isOverload = (round: number) => (round >> 2) % 2 === 1;

/** Whether a row holds what `numberedReport` sends with its number: for `new OrderChecker({ numbered: isNumbered })`. */
export function isNumbered({ succ, err, ts, overload }: RowValue): boolean {
  return err === succ % 7 && ts === NUMBERED_TS && overload === isOverload(succ);
}

const RECONNECT_MS = 20;
/** An agent that gave up a connection which is still read would have its numbers read out of order. */
const CLOSE_MS = 60_000;

/**
 * Connects the fleet and lets it send as fast as the reporter takes it.
 *
 *     const order = new OrderChecker({ numbered: isNumbered });
 *     const { port } = reporter.address;
 *     const fleet = await startFleet({ port, agents: 8, services: 12, hosts: 5, order });
 *     await until(() => fleet.rounds >= 10, { boundMs: 20_000, what: 'ten rounds' });
 *     await fleet.stop();
 *
 * With `reconnect` it survives kills of the reporter. What the system had taken of a connection that is lost is lost
 * with it; an agent then begins its round again, so that the numbers it sends never fall, whichever of its bytes
 * were read. Rejects with ReporterError `CONNECTION_FAILED` when the reporter cannot be reached at first.
 */
export async function startFleet(shape: FleetShape): Promise<Fleet> {
  const agents = await Promise.all(
    Array.from({ length: shape.agents }, async (_, index) => {
      const agent = new FleetAgent(shape, index + 1);
      await agent.connect();
      return agent;
    }),
  );
  const running = agents.map((agent) => agent.run());
  // Who stops the fleet is told; an agent that was cut off before is no news to anybody else.
  for (const agent of running) agent.catch(() => {});
  return {
    get rounds() {
      return Math.min(...agents.map(({ round }) => round));
    },
    get reconnects() {
      return agents.reduce((sum, agent) => sum + agent.reconnects, 0);
    },
    stop: async (boundMs = 60_000) => {
      for (const agent of agents) agent.stop(boundMs);
      await Promise.all(running);
      return new Map(agents.map(({ caller, round }) => [caller, round]));
    },
  };
}

/** One agent: sends round after round; the one under way when it is told to stop is its last. */
class FleetAgent {
  readonly caller: number;
  /** Last round that was sent as a whole. */
  round: number;
  reconnects = 0;
  readonly #shape: FleetShape;
  #connection: AgentConnection | undefined;
  #deadlineMs: number | undefined;

  constructor(shape: FleetShape, caller: number) {
    this.#shape = shape;
    this.caller = caller;
    this.round = (shape.firstRound ?? 1) - 1;
  }

  async connect(): Promise<void> {
    const { host = '127.0.0.1', port } = this.#shape;
    this.#connection = await connectAgent({
      host,
      port: typeof port === 'number' ? port : port(),
      maxBufferedBytes: 65_536,
      closeTimeoutMs: CLOSE_MS,
    });
  }

  stop(boundMs: number): void {
    this.#deadlineMs ??= performance.now() + boundMs;
  }

  async run(): Promise<void> {
    let last = this.round;
    for (;;) {
      try {
        if (!this.#connection) {
          await this.connect();
          this.reconnects++;
        }
        await this.#send(last + 1);
        const isLast = this.#deadlineMs !== undefined;
        if (isLast) await this.#connection!.close();
        this.round = ++last;
        if (isLast) return;
        await this.#rest();
      } catch (error) {
        this.#connection?.destroy();
        this.#connection = undefined;
        if (!this.#shape.reconnect) throw error;
        if (this.#deadlineMs !== undefined && performance.now() > this.#deadlineMs) {
          const what = `agent ${this.caller} could not deliver round ${last + 1}: ${messageOf(error)}`;
          throw new Error(what, { cause: error });
        }
        await sleep(RECONNECT_MS);
      }
    }
  }

  async #send(round: number): Promise<void> {
    const { services, hosts, order } = this.#shape;
    for (let service = 0; service < services; service++) {
      const report = numberedReport(service, this.caller, hosts, round);
      order?.sent(report);
      await this.#connection!.send(report);
    }
  }

  /** Sending that never has to wait would keep the event loop from everything else. */
  async #rest(): Promise<void> {
    const { pauseMs } = this.#shape;
    await (pauseMs === undefined ? new Promise(setImmediate) : sleep(pauseMs));
  }
}
