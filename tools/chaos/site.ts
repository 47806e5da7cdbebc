import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { seeded, until } from '../../src/testing/index.js';
import { Admin } from './admin.js';
import { callersOf, Fleet } from './agents.js';
import type { Shape } from './checks.js';
import { Database } from './database.js';
import { History } from './history.js';
import { steadyPort } from './ports.js';
import { Service } from './service.js';
import type { Timeline } from './timeline.js';
import { Watch } from './watch.js';

export interface SiteOptions extends Shape {
  readonly dir: string;
  readonly seed: number;
  readonly agents: number;
  readonly timeline: Timeline;
  /** Ends the run early: nothing is waited for any more. */
  readonly signal: AbortSignal;
}

/** Further connections the reporter takes beside those of the fleet. */
const SPARE_CONNECTIONS = 80;
const FRAME_TIMEOUT_MS = 2000;
/** Longer than any of this is what a pause of the database lasts. */
export const QUERY_TIMEOUT_MS = 1000;
/** How long everything may take to be journaled or stored once nothing is in the way. */
const BOUND_MS = 120_000;

/** A site: the reporter as a process, its database with a network in between, and agents. */
export class Site {
  readonly options: SiteOptions;
  readonly database: Database;
  readonly service: Service;
  readonly admin: Admin;
  readonly fleet: Fleet;
  readonly history: History;
  readonly watch: Watch;
  readonly ports: { readonly agents: number; readonly admin: number };
  readonly maxConnections: number;

  private constructor(options: SiteOptions, database: Database, ports: { agents: number; admin: number }) {
    const { dir, timeline, agents } = options;
    this.options = options;
    this.database = database;
    this.ports = ports;
    this.maxConnections = agents + SPARE_CONNECTIONS;
    this.service = new Service({
      ...{ dir, timeline, writers: 4 },
      config: {
        listen: {
          host: '127.0.0.1',
          port: ports.agents,
          maxConnections: this.maxConnections,
          frameTimeoutMs: FRAME_TIMEOUT_MS,
        },
        writers: { maxBatchRows: 200 },
        journal: { dir: 'journal', snapshotBytes: 65_536 },
        store: { url: database.url, queryTimeoutMs: QUERY_TIMEOUT_MS, connectTimeoutMs: QUERY_TIMEOUT_MS },
        admin: { port: ports.admin },
        shutdown: { drainMs: 1500 },
      },
    });
    this.admin = new Admin(ports.admin);
    this.history = new History(callersOf(agents));
    this.fleet = new Fleet({
      ...options,
      port: ports.agents,
      service: this.service,
      history: this.history,
    });
    this.watch = new Watch({ service: this.service, admin: this.admin, history: this.history, timeline });
  }

  /** Starts everything; the agents are silent. */
  static async start(options: SiteOptions): Promise<Site> {
    mkdirSync(path.join(options.dir, 'tmp'));
    const random = seeded(options.seed);
    const database = await Database.start(options.signal);
    const ports = { agents: await steadyPort(random), admin: await steadyPort(random) };
    const site = new Site(options, database, ports);
    try {
      await site.service.start();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  /** First and last caller of the fleet. */
  get callers(): [number, number] {
    const callers = callersOf(this.options.agents);
    return [callers[0]!, callers.at(-1)!];
  }

  /** The agents fall silent when everything they have sent is journaled. */
  async settle(): Promise<void> {
    await this.fleet.settle();
    await until(() => this.history.uncertain === 0 || this.options.signal.aborted, {
      boundMs: BOUND_MS,
      what: 'everything that was sent to be journaled',
    });
  }

  /** Resolves when the store has everything. Agents are silent. */
  async drained(): Promise<void> {
    await until(
      async () => {
        if (this.options.signal.aborted) return true;
        const { ledger, inflightBytes } = await this.admin.status();
        return ledger.pending === 0 && inflightBytes === 0;
      },
      { boundMs: BOUND_MS, what: 'everything that is pending to be stored' },
    );
  }

  /** Ends everything, in whatever state it is. */
  async close(): Promise<void> {
    await this.watch.stop();
    if (this.service.state !== 'down') await this.service.kill();
    await this.fleet.close();
    this.admin.close();
    await this.database.close();
  }
}
