import { setTimeout as pause } from 'node:timers/promises';
import type { AgentConnection } from '../../client/connection.js';
import { type BackoffLimits, backoffMs } from '../../model/backoff.js';
import { ReporterError } from '../../model/errors.js';
import { seededRandom } from '../../simulation/index.js';
import type { AgentTraffic } from './agent-traffic.js';
import type { Buffers } from './buffers.js';
import type { Turns } from './turns.js';

const PAUSES: BackoffLimits = { firstMs: 50, lastMs: 2000 };
/** How often an agent tries again to deliver its last reports: for about half a minute. */
const LAST_ATTEMPTS = 20;

/** What an agent needs of the swarm it belongs to. */
export interface AgentHome {
  readonly options: {
    /** Average time between two deliberate reconnects of an agent, in milliseconds; 0 = none. */
    readonly reconnectEveryMs: number;
  };
  readonly traffic: Pick<AgentTraffic, 'owedOnReconnect' | 'lastReports'> & {
    readonly shape: Pick<AgentTraffic['shape'], 'seed'>;
  };
  readonly totals: { reconnects: number; lost: number };
  readonly turns: Turns;
  readonly buffers: Buffers;
  /** Whether reports become due one by one; otherwise as many are due as the reporter takes. */
  readonly isPaced: boolean;
  /** Whether nothing more becomes due. */
  readonly isOver: boolean;
  /** Connections open now. */
  connected: number;
  /** Makes a connection. Rejects with ReporterError `CONNECTION_FAILED`. */
  connect(): Promise<AgentConnection>;
  /**
   * Fills a buffer with the next reports of an agent, at most `limit`, and says how many were due. Where there was
   * nothing to report in the end, they have no bytes.
   */
  fill(agent: number, buffer: Buffer, limit: number): { bytes: number; reports: number };
  /** The beginning of a report that is never completed, `share` (0 … 1) of it. */
  cutFrame(agent: number, share: number): Buffer;
}

/**
 * One agent: a caller of its own and, one after the other, connections of its own.
 *
 *     connect ─▶ report what is due ─▶ the run is over: all again, if it ever reconnected ─▶ close, read to the end
 *        ▲            │  ▲                                                        │
 *        │   lost, or told to leave                                             lost
 *        └────────────┴──┴── all services are due at once ◀──────────────────────┘
 *
 * A connection it leaves is only ended, half of the times in the middle of a report, and its successor begins
 * at once: the reporter may read both at the same time, in any order. Before its last reports an agent waits until
 * the reporter has read all it left behind: these, then, are the last ones in the table, too.
 */
export class Agent {
  /** Reports it should have made by now. */
  owed: number;
  readonly #swarm: AgentHome;
  readonly #index: number;
  readonly #random: () => number;
  #connection: AgentConnection | undefined;
  #connections = 0;
  /** When it leaves its connection, milliseconds since the run began. */
  #leavesAtMs = Number.POSITIVE_INFINITY;
  #isLeaving = false;
  /** The end of the connection it left, as long as the reporter still reads it. */
  #lingering: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(swarm: AgentHome, index: number) {
    this.#swarm = swarm;
    this.#index = index;
    this.#random = seededRandom(swarm.traffic.shape.seed + index);
    this.owed = swarm.isPaced ? 0 : Number.POSITIVE_INFINITY;
    this.#planLeaving(0);
  }

  /** Makes the connection. Rejects with ReporterError `CONNECTION_FAILED`. */
  async connect(): Promise<AgentConnection> {
    this.#connection = await this.#swarm.connect();
    if (this.#connections++ > 0) {
      this.#swarm.totals.reconnects++;
      this.owed += this.#swarm.traffic.owedOnReconnect;
    }
    return this.#connection;
  }

  /**
   * Reports until the swarm is done and the reporter has read it all. A connection that is lost or cannot be made is
   * tried again: for ever while the swarm runs, for about half a minute afterwards; then it rejects with ReporterError
   * `CONNECTION_FAILED`.
   */
  async live(): Promise<void> {
    let failures = 0;
    let lastFailures = 0;
    for (;;) {
      try {
        const connection = this.#connection ?? (await this.connect());
        await this.#report(connection);
        if (this.#swarm.isOver) {
          await this.#finish(connection);
          return;
        }
        this.#leave(connection);
        failures = 0;
      } catch (error) {
        if (!(error instanceof ReporterError)) throw error;
        this.#lose();
        if (this.#swarm.isOver && ++lastFailures > LAST_ATTEMPTS) throw error;
        await pause(backoffMs(++failures, PAUSES, this.#random));
      }
    }
  }

  /** More reports are due, or the run is over. */
  wake(): void {
    this.#wake();
  }

  /** Leaves the connection if that is due. */
  leaveIfDue(elapsedMs: number): void {
    if (elapsedMs < this.#leavesAtMs || this.#lingering) return;
    this.#planLeaving(elapsedMs);
    this.#isLeaving = true;
    this.#wake();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#connection?.destroy();
  }

  async #report(connection: AgentConnection): Promise<void> {
    while (this.owed > 0 || !this.#swarm.isOver) {
      if (this.#isLeaving && !this.#swarm.isOver) return;
      if (this.owed > 0) {
        await this.#send(connection);
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async #finish(connection: AgentConnection): Promise<void> {
    if (this.#connections > 1) {
      await this.#lingering;
      this.owed = this.#swarm.traffic.lastReports(this.#index);
      while (this.owed > 0) await this.#send(connection);
    }
    await connection.close();
    this.#gone();
  }

  #leave(connection: AgentConnection): void {
    this.#isLeaving = false;
    if (this.#random() < 0.5) {
      const frame = this.#swarm.cutFrame(this.#index, this.#random());
      // Whether it gets there matters to nobody.
      connection.sendBytes(frame).catch(() => {});
    }
    this.#lingering = connection
      .close()
      .catch(() => connection.destroy())
      .then(() => {
        this.#lingering = undefined;
      });
    this.#gone();
  }

  /** Sends what is due, as much of it as a chunk holds, and waits until the system has it. */
  #send(connection: AgentConnection): Promise<void> {
    const swarm = this.#swarm;
    return swarm.turns.take(async () => {
      // Until it is flushed the buffer is the connection's; what is lost with one is not used again.
      const buffer = swarm.buffers.take();
      const { bytes, reports } = swarm.fill(this.#index, buffer, this.owed);
      this.owed -= reports;
      if (bytes > 0) {
        await connection.sendBytes(buffer.subarray(0, bytes));
        await connection.flush();
      }
      swarm.buffers.giveBack(buffer);
    });
  }

  #lose(): void {
    const connection = this.#connection;
    if (!connection) return;
    connection.destroy();
    this.#swarm.totals.lost++;
    this.#gone();
  }

  #gone(): void {
    this.#connection = undefined;
    this.#swarm.connected--;
  }

  #planLeaving(elapsedMs: number): void {
    const { reconnectEveryMs } = this.#swarm.options;
    if (reconnectEveryMs === 0) return;
    // Exponentially distributed: at any moment as likely as at any other.
    this.#leavesAtMs = elapsedMs - Math.log(1 - this.#random()) * reconnectEveryMs;
  }
}
