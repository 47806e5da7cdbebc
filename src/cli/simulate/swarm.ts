import { setTimeout as pause } from 'node:timers/promises';
import type { AgentTls } from '../../client/agent-tls.js';
import { type AgentConnection, connectAgent } from '../../client/connection.js';
import { backoffMs } from '../../model/backoff.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import type { Address } from '../../model/status.js';
import { Agent, type AgentHome } from './agent.js';
import type { AgentTraffic } from './agent-traffic.js';
import { Buffers } from './buffers.js';
import { Gate, Turns } from './turns.js';

export interface SwarmOptions {
  /** The reporter. */
  readonly to: Address & { readonly tls?: AgentTls };
  /** Reports a second of all agents together; 0 = as many as are taken. */
  readonly rate: number;
  /** Milliseconds from the first report to the last, but for what agents owe then; Infinity = until `end`. */
  readonly durationMs: number;
  /** Average time between two deliberate reconnects of an agent, in milliseconds; 0 = none. */
  readonly reconnectEveryMs: number;
}

/** Plain counts of what was sent; reports and rows are those handed to a connection whole. */
export interface Totals {
  /** Connections made. */
  connections: number;
  /** Those among them that followed another one of the same agent. */
  reconnects: number;
  /** Connections that broke or were ended by the other side. */
  lost: number;
  reports: number;
  rows: number;
  bytes: number;
}

/** Connects at a time: fewer than any listener's backlog. */
const CONNECTS = 64;
/** Longest wait until all agents are connected; milliseconds. */
const CONNECT_MS = 30_000;
/**
 * Longest wait for the reporter to read what a connection has sent; milliseconds. The system alone holds megabytes
 * for each, so that thousands which send flat out leave the reporter minutes of work.
 */
const CLOSE_MS = 600_000;
/** Bytes that all agents together hand over at a time, and one agent at the most. */
const CHUNKS_BYTES = 67_108_864;
const MAX_CHUNK_BYTES = 65_536;
/** How often is looked which reports are due; milliseconds. */
const TICK_MS = 10;

/** Many agents against one reporter: connects them, hands out what is due, ends the run. */
export class Swarm implements AgentHome {
  readonly options: SwarmOptions;
  readonly traffic: AgentTraffic;
  readonly totals: Totals = { connections: 0, reconnects: 0, lost: 0, reports: 0, rows: 0, bytes: 0 };
  readonly turns = new Turns();
  readonly buffers: Buffers;
  /** Connections open now. */
  connected = 0;
  /** Whether nothing more becomes due. */
  isOver = false;
  readonly #agents: readonly Agent[];
  readonly #connects = new Gate(CONNECTS);
  readonly #chunkBytes: number;
  #beganMs = 0;
  #endedMs = 0;
  /** Reports that were handed out to agents. */
  #handedOut = 0;
  #ticker: NodeJS.Timeout | undefined;

  constructor(traffic: AgentTraffic, options: SwarmOptions) {
    this.options = options;
    this.traffic = traffic;
    const { agents } = traffic.shape;
    const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.floor(CHUNKS_BYTES / agents));
    this.#chunkBytes = Math.max(traffic.maxFrameBytes, chunkBytes);
    this.buffers = new Buffers(this.#chunkBytes);
    this.#agents = Array.from({ length: agents }, (_, index) => new Agent(this, index));
  }

  get isPaced(): boolean {
    return this.options.rate > 0;
  }

  /** Seconds from the first report until the reporter had read the last one; until now while it runs. */
  get seconds(): number {
    if (this.#beganMs === 0) return 0;
    return ((this.#endedMs || performance.now()) - this.#beganMs) / 1000;
  }

  /**
   * Connects all agents, a few at a time. Rejects with ReporterError `CONNECTION_FAILED` when the reporter cannot
   * be reached, at once, or when not every agent gets through within half a minute.
   */
  async start(): Promise<void> {
    const by = performance.now() + CONNECT_MS;
    const [first, ...others] = this.#agents;
    // One in advance: where nobody listens, that is known at once.
    await first!.connect();
    try {
      await Promise.all(others.map((agent) => this.#insist(agent, by)));
    } catch (cause) {
      const count = `${this.connected} of ${this.#agents.length} agents are connected after ${CONNECT_MS / 1000} s`;
      throw new ReporterError('CONNECTION_FAILED', `only ${count}: ${messageOf(cause)}`, { cause });
    }
  }

  /** Lets the agents report, for `durationMs`. Rejects when not all could deliver their last reports. */
  async run(): Promise<void> {
    this.#beganMs = performance.now();
    const lives = this.#agents.map((agent) => agent.live());
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    const results = await Promise.allSettled(lives);
    clearInterval(this.#ticker);
    this.#endedMs = performance.now();
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length > 0) {
      throw new Error(
        `${failed.length} of ${results.length} agents could not deliver their last reports, first: ` +
          messageOf(failed[0]!.reason),
      );
    }
  }

  /** Ends the run early; agents still deliver what they owe. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.#ticker);
    // Who has kept up owes no more than this. Who has not would need unbounded time to make up for it.
    const owed = this.isPaced ? Math.floor(this.#chunkBytes / this.traffic.maxFrameBytes) : 0;
    for (const agent of this.#agents) {
      agent.owed = Math.min(agent.owed, owed);
      agent.wake();
    }
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async connect(): Promise<AgentConnection> {
    const options = { ...this.options.to, closeTimeoutMs: CLOSE_MS };
    const connection = await this.#connects.pass(() => connectAgent(options));
    this.connected++;
    this.totals.connections++;
    return connection;
  }

  fill(agent: number, buffer: Buffer, limit: number): { bytes: number; reports: number } {
    const { traffic, totals } = this;
    const ts = Math.floor(Date.now() / 1000);
    const elapsedMs = performance.now() - this.#beganMs;
    const lastStart = buffer.length - traffic.maxFrameBytes;
    let bytes = 0;
    let reports = 0;
    do {
      const end = traffic.writeNext(agent, buffer, bytes, ts, elapsedMs);
      if (end > bytes) totals.reports++;
      totals.rows += traffic.lastRows;
      bytes = end;
      reports++;
    } while (reports < limit && bytes <= lastStart);
    totals.bytes += bytes;
    return { bytes, reports };
  }

  cutFrame(agent: number, share: number): Buffer {
    const frame = Buffer.allocUnsafe(this.traffic.maxFrameBytes);
    const ts = Math.floor(Date.now() / 1000);
    const end = this.traffic.writeNext(agent, frame, 0, ts, performance.now() - this.#beganMs);
    const bytes = 1 + Math.floor(share * (end - 1));
    this.totals.bytes += bytes;
    return frame.subarray(0, bytes);
  }

  async #insist(agent: Agent, by: number): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        await agent.connect();
        return;
      } catch (error) {
        if (performance.now() >= by) throw error;
        await pause(backoffMs(++failures, { firstMs: 50, lastMs: 2000 }));
      }
    }
  }

  #tick(): void {
    const { durationMs } = this.options;
    const elapsedMs = Math.min(performance.now() - this.#beganMs, durationMs);
    for (const index of this.traffic.due?.(elapsedMs) ?? this.#dueByRate(elapsedMs)) {
      const agent = this.#agents[index]!;
      agent.owed++;
      agent.wake();
    }
    if (elapsedMs >= durationMs) {
      this.end();
      return;
    }
    for (const agent of this.#agents) agent.leaveIfDue(elapsedMs);
  }

  /** The agents in turn, as often as the rate wants. */
  *#dueByRate(elapsedMs: number): Generator<number> {
    if (!this.isPaced) return;
    const due = Math.floor((elapsedMs * this.options.rate) / 1000);
    for (; this.#handedOut < due; this.#handedOut++) yield this.#handedOut % this.#agents.length;
  }
}
