import { readFileSync } from 'node:fs';
import { seeded, until } from '../../src/testing/index.js';
import { TestAuthority, type TestCertificate } from '../shared/certificates.js';
import { Admin } from './admin.js';
import { Fleet } from './agents.js';
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
/** 10.99.0.1 and on: no stream of bytes of chance is likely to name these. */
const FIRST_CALLER = 0x0a63_0001;
const FIRST_WIDE_CALLER = 0x0a62_0001;
/**
 * Agents that report many hosts each, more keys in all than may be pending. They are silent but for the fault that is
 * about them.
 */
const WIDE = { agents: 4, hosts: 400 };
/** More than the keys of the fleet for each of 7 writers, however its services are spread. */
export const MAX_PENDING_KEYS = 8000;
/** Longer than any of this is what a pause of the database lasts. */
export const QUERY_TIMEOUT_MS = 1000;
/** How long everything may take to be journaled or stored once nothing is in the way. */
const BOUND_MS = 120_000;

interface Ports {
  readonly agents: number;
  readonly admin: number;
  readonly tls: number;
}

/** A site: the reporter as a process, its database with a network in between, and agents. */
export class Site {
  readonly options: SiteOptions;
  readonly database: Database;
  readonly service: Service;
  readonly admin: Admin;
  readonly fleet: Fleet;
  readonly history: History;
  /** The wide agents. */
  readonly wide: Fleet;
  readonly wideHistory: History;
  readonly watch: Watch;
  readonly ports: Ports;
  /** What the reporter shows on the port with TLS, and what it may be renewed by. */
  readonly certificate: TestCertificate;
  readonly authority: TestAuthority;
  readonly maxConnections: number;

  private constructor(options: SiteOptions, database: Database, ports: Ports) {
    const { dir, timeline, agents } = options;
    this.options = options;
    this.database = database;
    this.ports = ports;
    this.authority = new TestAuthority(dir);
    this.certificate = this.authority.issue();
    this.maxConnections = agents + WIDE.agents + SPARE_CONNECTIONS;
    this.service = new Service({
      ...{ dir, timeline, writers: 4 },
      config: {
        listen: {
          host: '127.0.0.1',
          port: ports.agents,
          maxConnections: this.maxConnections,
          frameTimeoutMs: FRAME_TIMEOUT_MS,
          tls: {
            port: ports.tls,
            ...this.certificate,
            handshakeTimeoutMs: FRAME_TIMEOUT_MS,
            maxHandshakes: 4,
          },
        },
        writers: { maxBatchRows: 200, maxPendingKeys: MAX_PENDING_KEYS },
        journal: { dir: 'journal', snapshotBytes: 65_536 },
        store: { url: database.url, queryTimeoutMs: QUERY_TIMEOUT_MS, connectTimeoutMs: QUERY_TIMEOUT_MS },
        admin: { port: ports.admin },
        shutdown: { drainMs: 1500 },
      },
    });
    this.admin = new Admin(ports.admin);
    const callers = this.callers;
    const wideCallers = this.wideCallers;
    this.history = new History(callers);
    this.wideHistory = new History(wideCallers);
    const port = ports.agents;
    const { service, history, wideHistory } = this;
    service.onCarried = (from, to) => {
      for (const each of [history, wideHistory]) each.carried(from, to);
    };
    const secure = { port: ports.tls, ca: readFileSync(this.authority.ca) };
    this.fleet = new Fleet({ ...options, port, secure, callers, service, history });
    const wide = { ...this.wideShape, callers: wideCallers, history: wideHistory };
    this.wide = new Fleet({ ...options, ...wide, port, service });
    this.watch = new Watch({ service, admin: this.admin, histories: [history, wideHistory], timeline });
  }

  /** Starts everything; the agents are silent. */
  static async start(options: SiteOptions): Promise<Site> {
    const random = seeded(options.seed);
    const database = await Database.start(options.signal);
    const ports = {
      ...{ agents: await steadyPort(random), admin: await steadyPort(random) },
      tls: await steadyPort(random),
    };
    const site = new Site(options, database, ports);
    try {
      await site.service.start();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  /** Of the fleet. */
  get callers(): readonly number[] {
    return Array.from({ length: this.options.agents }, (_, index) => FIRST_CALLER + index);
  }

  get wideCallers(): readonly number[] {
    return Array.from({ length: WIDE.agents }, (_, index) => FIRST_WIDE_CALLER + index);
  }

  /** Of the keys that each wide agent reports. */
  get wideShape(): Shape {
    return { services: this.options.services, hosts: WIDE.hosts };
  }

  /** Connections that are made now may be turned away, or not any more. */
  flooded(isFlooded: boolean): void {
    this.fleet.isFlooded = isFlooded;
    this.wide.isFlooded = isFlooded;
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
    await Promise.all([this.fleet.close(), this.wide.close()]);
    this.admin.close();
    await this.database.close();
  }
}
