import { setTimeout as pause } from 'node:timers/promises';
import { encodeReportFrame } from '../../src/client/index.js';
import {
  type ConfigInput,
  type Handlers,
  type Logger,
  type Reporter,
  type ReporterOptions,
  type Row,
  startReporter,
} from '../../src/index.js';
import type { Store, StoreWriter } from '../../src/store/contract.js';
import { HostileAgent, type HostileAgentOptions, keyOf } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { roundOf } from './reports.js';
import { type Held, held, leftBehind } from './resources.js';

export const BOUND = { boundMs: 60_000 };

/** Stands in `caller` of the neighbour's reports. */
const NEIGHBOUR = 0x5eadbeef;
/** Hosts, and so rows, in each of the neighbour's reports. */
export const NEIGHBOUR_HOSTS = 3;

/** The newest row of each key, in memory. */
class Rows implements Store {
  readonly description = 'memory';
  readonly newest = new Map<string, Row>();
  /** The neighbour's key that went backwards, if any. */
  stepBack: string | undefined;

  async open(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}

  writer(): StoreWriter {
    return {
      upsert: async (rows) => {
        for (const row of rows) {
          const key = keyOf(row);
          if (row.caller === NEIGHBOUR && (this.newest.get(key)?.succ ?? 0) > row.succ) this.stepBack ??= key;
          this.newest.set(key, row);
        }
      },
      close: async () => {},
    };
  }

  /** Forgets all but the neighbour's, so that a run of any length fits into memory. */
  forgetStrangers(): void {
    for (const [key, { caller }] of this.newest) if (caller !== NEIGHBOUR) this.newest.delete(key);
  }
}

export interface SiegeOptions {
  readonly listen?: ConfigInput['listen'];
  readonly handlers?: Handlers;
  readonly atStep?: ReporterOptions['atStep'];
}

export interface Warning {
  readonly peer?: string;
  readonly kind?: string;
}

/** A whole reporter under attack, with one well-behaved neighbour that reports while `withNeighbour` runs. */
export class Siege {
  readonly reporter: Reporter;
  readonly rows: Rows;
  /** What was logged as a warning or an error. */
  readonly warnings: readonly Warning[];
  readonly #before: Held;
  readonly #neighbour: HostileAgent;
  /** Reports the neighbour has sent. */
  #rounds = 0;
  #bytes = 0;
  readonly #agents = new Set<HostileAgent>();

  private constructor(
    reporter: Reporter,
    rows: Rows,
    warnings: Warning[],
    before: Held,
    neighbour: HostileAgent,
  ) {
    this.reporter = reporter;
    this.rows = rows;
    this.warnings = warnings;
    this.#before = before;
    this.#neighbour = neighbour;
  }

  static async start(dir: string, { listen = {}, handlers, atStep }: SiegeOptions = {}): Promise<Siege> {
    const before = held();
    const warnings: Warning[] = [];
    const note = (fields: Warning) => void warnings.push(fields);
    const logger: Logger = { debug: () => {}, info: () => {}, warn: note, error: note };
    const rows = new Rows();
    const reporter = await startReporter(
      { listen: { host: '127.0.0.1', port: 0, ...listen }, admin: { port: 0 }, journal: { dir } },
      { store: rows, logger, ...(handlers ? { handlers } : {}), ...(atStep ? { atStep } : {}) },
    );
    const neighbour = await HostileAgent.connect({ port: reporter.address.port });
    const siege = new Siege(reporter, rows, warnings, before, neighbour);
    await siege.connections(1);
    // What is measured from now on is not what the view's thread still opens.
    await until(() => siege.isViewUp, { ...BOUND, what: 'the view' });
    return siege;
  }

  get isViewUp(): boolean {
    const { state } = this.reporter.status().view;
    return state === 'live' || state === 'off';
  }

  get traffic() {
    return this.reporter.status().traffic;
  }

  /** Rounds the neighbour has reported. */
  get neighbourRounds(): number {
    return this.#rounds;
  }

  /** Bytes of what the neighbour has reported. */
  get neighbourBytes(): number {
    return this.#bytes;
  }

  /** A hostile agent; whatever is left of it ends with the siege. */
  async agent(options: Omit<HostileAgentOptions, 'port'> = {}): Promise<HostileAgent> {
    const agent = await HostileAgent.connect({ port: this.reporter.address.port, ...options });
    this.#agents.add(agent);
    void agent.closed.then(() => this.#agents.delete(agent));
    return agent;
  }

  /** Hostile agents that connect `count` at most at a time, so that no queue of the system overflows. */
  async agents(count: number, options: (index: number) => Omit<HostileAgentOptions, 'port'> = () => ({})) {
    const agents: HostileAgent[] = [];
    while (agents.length < count) {
      const some = Array.from({ length: Math.min(100, count - agents.length) }, (_, index) =>
        this.agent(options(agents.length + index)),
      );
      agents.push(...(await Promise.all(some)));
    }
    return agents;
  }

  /** Waits until so many connections are open, the neighbour's among them. */
  async connections(count: number): Promise<void> {
    await until(() => this.traffic.connections === count, { ...BOUND, what: `${count} connections` });
  }

  /**
   * Lets the neighbour report round after round while `attack` runs, once more behind it, and waits until all of it is
   * stored. Resolves to what the neighbour noticed, undefined when it was nothing.
   */
  async withNeighbour(attack: () => Promise<void>): Promise<string | undefined> {
    let isOver = false;
    const reporting = this.#report(() => isOver);
    try {
      await attack();
    } finally {
      isOver = true;
      await reporting;
    }
    await this.#report(() => true);
    const stored = () => {
      const own = [...this.rows.newest.values()].filter(({ caller }) => caller === NEIGHBOUR);
      return own.length === NEIGHBOUR_HOSTS && own.every(({ succ }) => succ === this.#rounds);
    };
    try {
      await until(stored, { ...BOUND, what: 'the last report of the neighbour to be stored' });
    } catch (error) {
      return String(error);
    }
    if (!this.#neighbour.isOpen) return 'its connection was closed';
    if (this.rows.stepBack) return `${this.rows.stepBack} went backwards`;
    const ledger = this.reporter.ledger();
    return ledger.balanced ? undefined : `unbalanced: ${JSON.stringify(ledger)}`;
  }

  async #report(isOver: () => boolean): Promise<void> {
    do {
      const frame = encodeReportFrame(roundOf(NEIGHBOUR, ++this.#rounds, NEIGHBOUR_HOSTS));
      this.#bytes += frame.length;
      await this.#neighbour.sendBytes(frame);
      // An agent that never pauses would leave no processor for the attack.
      await pause(1);
    } while (!isOver());
  }

  /** Nothing read that is not journaled, nothing pending, nobody but the neighbour. */
  async atRest(): Promise<void> {
    await this.connections(1);
    const isAtRest = () => this.reporter.status().inflightBytes === 0 && this.reporter.ledger().pending === 0;
    await until(isAtRest, { ...BOUND, what: 'the reporter to be at rest' });
  }

  /** Ends everything. Resolves to what is left behind, undefined when it is nothing. */
  async stop(): Promise<string | undefined> {
    for (const agent of this.#agents) agent.destroy();
    this.#neighbour.destroy();
    await Promise.all([...this.#agents, this.#neighbour].map(({ closed }) => closed));
    await this.reporter.stop();
    return leftBehind(this.#before);
  }
}
