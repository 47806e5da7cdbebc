import { setTimeout as pause } from 'node:timers/promises';
import type { AgentConnection } from '../../client/connection.js';
import { type BackoffLimits, backoffMs } from '../../model/backoff.js';
import { ReporterError } from '../../model/errors.js';
import { seededRandom } from '../../simulation/random.js';
import type { Fleet } from './fleet.js';

const PAUSES: BackoffLimits = { firstMs: 50, lastMs: 2000 };
/** How often an agent tries again to deliver its last reports: for about half a minute. */
const LAST_ATTEMPTS = 20;

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
  readonly #fleet: Fleet;
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

  constructor(fleet: Fleet, index: number) {
    this.#fleet = fleet;
    this.#index = index;
    this.#random = seededRandom(fleet.traffic.shape.seed + index);
    this.owed = fleet.isPaced ? 0 : Number.POSITIVE_INFINITY;
    this.#planLeaving(0);
  }

  /** Makes the connection. Rejects with ReporterError `CONNECTION_FAILED`. */
  async connect(): Promise<AgentConnection> {
    this.#connection = await this.#fleet.connect();
    if (this.#connections++ > 0) {
      this.#fleet.totals.reconnects++;
      this.owed += this.#fleet.traffic.owedOnReconnect;
    }
    return this.#connection;
  }

  /**
   * Reports until the fleet is done and the reporter has read it all. A connection that is lost or cannot be made is
   * tried again: for ever while the fleet runs, for about half a minute afterwards; then it rejects with ReporterError
   * `CONNECTION_FAILED`.
   */
  async live(): Promise<void> {
    let failures = 0;
    let lastFailures = 0;
    for (;;) {
      try {
        const connection = this.#connection ?? (await this.connect());
        await this.#report(connection);
        if (this.#fleet.isOver) {
          await this.#finish(connection);
          return;
        }
        this.#leave(connection);
        failures = 0;
      } catch (error) {
        if (!(error instanceof ReporterError)) throw error;
        this.#lose();
        if (this.#fleet.isOver && ++lastFailures > LAST_ATTEMPTS) throw error;
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
    while (this.owed > 0 || !this.#fleet.isOver) {
      if (this.#isLeaving && !this.#fleet.isOver) return;
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
      this.owed = this.#fleet.traffic.lastReports(this.#index);
      while (this.owed > 0) await this.#send(connection);
    }
    await connection.close();
    this.#gone();
  }

  #leave(connection: AgentConnection): void {
    this.#isLeaving = false;
    if (this.#random() < 0.5) {
      const frame = this.#fleet.cutFrame(this.#index, this.#random());
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
    const fleet = this.#fleet;
    return fleet.turns.take(async () => {
      // Until it is flushed the buffer is the connection's; what is lost with one is not used again.
      const buffer = fleet.buffers.take();
      const { bytes, reports } = fleet.fill(this.#index, buffer, this.owed);
      this.owed -= reports;
      if (bytes > 0) {
        await connection.sendBytes(buffer.subarray(0, bytes));
        await connection.flush();
      }
      fleet.buffers.giveBack(buffer);
    });
  }

  #lose(): void {
    const connection = this.#connection;
    if (!connection) return;
    connection.destroy();
    this.#fleet.totals.lost++;
    this.#gone();
  }

  #gone(): void {
    this.#connection = undefined;
    this.#fleet.connected--;
  }

  #planLeaving(elapsedMs: number): void {
    const { reconnectEveryMs } = this.#fleet.options;
    if (reconnectEveryMs === 0) return;
    // Exponentially distributed: at any moment as likely as at any other.
    this.#leavesAtMs = elapsedMs - Math.log(1 - this.#random()) * reconnectEveryMs;
  }
}
