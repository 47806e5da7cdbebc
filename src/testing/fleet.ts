import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentConnection, connectAgent, encodeReportFrame } from '../client/index.js';
import { messageOf } from '../model/errors.js';
import type { Report } from '../model/report.js';
import type { RowValue } from './sequence.js';

/** How many agents report what, and how they behave. */
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
  /**
   * Whether agents are as the original ones: who is refused, or loses the connection, sends nothing more, and is among
   * `lost`. Nothing rejects for it. Not together with `reconnect`.
   */
  readonly neverReconnect?: boolean;
  /** Told of each report before it is sent: an `OrderChecker`. */
  readonly order?: {
    /** Of one report. */
    sent(report: Report): void;
  };
  /** Pause of each agent between two rounds, in milliseconds; none unless given. */
  readonly pauseMs?: number;
  /**
   * Whether agents pause in the middle of the last frame of a round, not behind it: whatever happens to the reporter then
   * meets half a frame. A few milliseconds unless `pauseMs` is given.
   */
  readonly cutFrames?: boolean;
}

/** Agents that send numbered reports, every host of every service in each round, until they are stopped. */
export interface Fleet {
  /** Rounds that all agents have sent so far, but for those that are lost. */
  readonly rounds: number;
  /** Rows of all rounds that were sent as a whole. */
  readonly rowsSent: number;
  /** Agents that have a connection now. */
  readonly connected: number;
  /** Agents that lost their connection, or never had one, and stay silent: with `neverReconnect`. */
  readonly lost: readonly LostAgent[];
  /** How often agents lost their connection and made a new one. */
  readonly reconnects: number;
  /** Lets every agent finish its round and rest, until `go`. Resolves as `stop` does when all rest. */
  hold(): Promise<ReadonlyMap<number, number>>;
  /** Ends `hold`. */
  go(): void;
  /**
   * Lets every agent finish its round and close in order, so that the reporter has read it all; resolves to the last
   * number each sent as a whole, by caller. Rejects when an agent cannot: with `reconnect`, when a whole round could not be
   * delivered within `boundMs` (60000 unless given).
   */
  stop(boundMs?: number): Promise<ReadonlyMap<number, number>>;
}

/** An agent that stays silent. */
export interface LostAgent {
  readonly caller: number;
  /** What became of its connection. */
  readonly why: string;
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
const CUT_MS = 5;
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
 * were read. Rejects with ReporterError `CONNECTION_FAILED` when the reporter cannot be reached at first, but for
 * agents that never reconnect. Throws RangeError when `reconnect` and `neverReconnect` are both set.
 */
export async function startFleet(shape: FleetShape): Promise<Fleet> {
  if (shape.reconnect && shape.neverReconnect)
    throw new RangeError('reconnect and neverReconnect contradict each other: leave one out');
  const agents = await Promise.all(
    Array.from({ length: shape.agents }, async (_, index) => {
      const agent = new FleetAgent(shape, index + 1);
      await agent.begin();
      return agent;
    }),
  );
  const lastRounds = () => new Map(agents.map(({ caller, round }) => [caller, round]));
  const running = agents.map((agent) => agent.run());
  // Who stops the fleet is told; an agent that was cut off before is no news to anybody else.
  for (const agent of running) agent.catch(() => {});
  return {
    get rounds() {
      const present = agents.filter(({ lost }) => lost === undefined);
      return (present.length > 0 ? present : agents).reduce(
        (least, { round }) => Math.min(least, round),
        Number.POSITIVE_INFINITY,
      );
    },
    get rowsSent() {
      return agents.reduce((sum, agent) => sum + agent.rowsSent, 0);
    },
    get connected() {
      return agents.reduce((sum, agent) => sum + (agent.isConnected ? 1 : 0), 0);
    },
    get lost() {
      return agents.flatMap(({ caller, lost }) => (lost === undefined ? [] : [{ caller, why: lost }]));
    },
    get reconnects() {
      return agents.reduce((sum, agent) => sum + agent.reconnects, 0);
    },
    hold: async () => {
      await Promise.all(agents.map((agent) => agent.hold()));
      return lastRounds();
    },
    go: () => {
      for (const agent of agents) agent.go();
    },
    stop: async (boundMs = 60_000) => {
      for (const agent of agents) agent.stop(boundMs);
      await Promise.all(running);
      return lastRounds();
    },
  };
}

/** One agent: sends round after round; the one under way when it is told to stop is its last. */
class FleetAgent {
  readonly caller: number;
  /** Last round that was sent as a whole. */
  round: number;
  reconnects = 0;
  /** Why it stays silent for ever. */
  lost: string | undefined;
  readonly #shape: FleetShape;
  readonly #before: number;
  #connection: AgentConnection | undefined;
  #deadlineMs: number | undefined;
  #isClosing = false;
  /** While it is held: resolves when it may go on. */
  #held: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #rests = false;
  #onRest: () => void = () => {};

  constructor(shape: FleetShape, caller: number) {
    this.#shape = shape;
    this.caller = caller;
    this.#before = (shape.firstRound ?? 1) - 1;
    this.round = this.#before;
  }

  get isConnected(): boolean {
    return this.#connection?.connected ?? false;
  }

  get rowsSent(): number {
    return (this.round - this.#before) * this.#shape.services * this.#shape.hosts;
  }

  /** Connects. Rejects when that fails, but for an agent that is lost then. */
  async begin(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (!this.#shape.neverReconnect) throw error;
      this.#lose(error);
    }
  }

  async #connect(): Promise<void> {
    const { host = '127.0.0.1', port } = this.#shape;
    this.#connection = await connectAgent({
      host,
      port: typeof port === 'number' ? port : port(),
      maxBufferedBytes: 65_536,
      closeTimeoutMs: CLOSE_MS,
    });
    if (this.#shape.neverReconnect) this.#watch(this.#connection);
  }

  /** Notices the loss of a connection on which nothing is being sent. */
  #watch(connection: AgentConnection): void {
    connection.ended.addEventListener('abort', () => {
      if (!this.#isClosing) connection.flush().catch((error: unknown) => this.#lose(error));
    });
  }

  /** Resolves when it rests, or is lost. */
  hold(): Promise<void> {
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#held ??= { over, end };
    if (this.#rests || this.lost !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onRest;
      this.#onRest = () => {
        before();
        resolve();
      };
    });
  }

  go(): void {
    this.#held?.end();
    this.#held = undefined;
  }

  stop(boundMs: number): void {
    this.#deadlineMs ??= performance.now() + boundMs;
    this.go();
  }

  async run(): Promise<void> {
    while (this.lost === undefined) {
      try {
        if (!this.#connection) {
          await this.#connect();
          this.reconnects++;
        }
        await this.#send(this.round + 1);
        const isLast = this.#deadlineMs !== undefined;
        this.#isClosing = isLast;
        if (isLast) await this.#connection!.close();
        this.round++;
        if (isLast) return;
        await this.#rest();
      } catch (error) {
        await this.#cutOff(error);
      }
    }
  }

  async #cutOff(error: unknown): Promise<void> {
    this.#connection?.destroy();
    this.#connection = undefined;
    const { reconnect, neverReconnect } = this.#shape;
    if (neverReconnect) {
      this.#lose(error);
      return;
    }
    if (!reconnect) throw error;
    if (this.#deadlineMs !== undefined && performance.now() > this.#deadlineMs) {
      const what = `agent ${this.caller} could not deliver round ${this.round + 1}: ${messageOf(error)}`;
      throw new Error(what, { cause: error });
    }
    await sleep(RECONNECT_MS);
  }

  #lose(error: unknown): void {
    this.lost ??= messageOf(error);
    this.#onRest();
  }

  async #send(round: number): Promise<void> {
    const { services, hosts, order, cutFrames } = this.#shape;
    for (let service = 0; service < services; service++) {
      const report = numberedReport(service, this.caller, hosts, round);
      order?.sent(report);
      if (cutFrames && service === services - 1) await this.#sendInHalves(report);
      else await this.#connection!.send(report);
    }
  }

  async #sendInHalves(report: Report): Promise<void> {
    const frame = encodeReportFrame(report);
    // Within the header, too: agents and rounds are cut at places of their own.
    const middle = 1 + ((this.caller + this.round) % (frame.length - 1));
    await this.#connection!.sendBytes(frame.subarray(0, middle));
    await sleep(this.#shape.pauseMs ?? CUT_MS);
    await this.#connection!.sendBytes(frame.subarray(middle));
  }

  async #rest(): Promise<void> {
    while (this.#held) {
      this.#rests = true;
      this.#onRest();
      this.#onRest = () => {};
      await this.#held.over;
    }
    this.#rests = false;
    const { pauseMs, cutFrames } = this.#shape;
    // Sending that never has to wait would keep the event loop from everything else.
    await (pauseMs === undefined || cutFrames ? new Promise(setImmediate) : sleep(pauseMs));
  }
}
