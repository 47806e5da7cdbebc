import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, seeded, startFleet, until } from '../../../src/testing/index.js';
import { Admin } from '../admin.js';
import { checkTable } from '../checks.js';
import { Database } from '../database.js';
import type { Fault } from '../faults/fault.js';
import { keeperFaults } from '../faults/keeper.js';
import type { Folder } from '../folder.js';
import { steadyPort } from '../ports.js';
import { Service } from '../service.js';
import { messages } from '../timeline.js';
import { Watch } from '../watch.js';
import type { Options } from './options.js';
import { type Event, KINDS, type Kind, planOf } from './plan.js';
import { Span } from './span.js';

export interface TrialOptions extends Folder {
  readonly options: Options;
}

const SHAPE = { services: 4, hosts: 3 };
/** Of each agent in each round, in the middle of a frame. */
const PAUSE_MS = 1000;
/** Rounds before the first event: a peer that has sent good frames is trusted in the middle of one. */
const FIRST_ROUNDS = 3;
const BOUND_MS = 120_000;

/** Resolves to what sums it up when nothing runs any more. */
export async function runTrial(options: TrialOptions): Promise<string> {
  const { timeline, signal } = options;
  const trial = new Trial(options);
  try {
    await trial.start();
    await trial.run();
    if (!signal.aborted) await trial.end();
  } catch (error) {
    if (!signal.aborted) timeline.violation(messages(error));
  }
  await trial.close();
  return trial.summary;
}

/** A site whose agents never reconnect. */
class Trial {
  readonly #options: TrialOptions;
  readonly #random: () => number;
  readonly #done = new Map<Kind, number>();
  #database: Database | undefined;
  #service: Service | undefined;
  /** Made once: each change of the configuration is another one. */
  #faults: readonly Fault[] = [];
  #admin: Admin | undefined;
  #watch: Watch | undefined;
  #fleet: Fleet | undefined;
  #span: Span | undefined;
  #spans = 0;
  #rowsCounted = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#random = seeded(options.options.seed);
  }

  get summary(): string {
    const counts = KINDS.map((kind) => `${this.#done.get(kind) ?? 0} ${kind}`).join(', ');
    return [
      `seconds ${Math.round(this.#options.timeline.seconds)}`,
      `events ${counts}`,
      `agents ${this.#options.options.agents}, lost ${this.#fleet?.lost.length ?? 0}`,
      `rows sent ${this.#fleet?.rowsSent ?? 0}`,
      `rows counted over hand-overs and reloads ${this.#rowsCounted}, in ${this.#spans} spans without a kill`,
      `ledgers ${this.#watch?.samples ?? 0}`,
    ].join('\n');
  }

  async start(): Promise<void> {
    const { dir, timeline, signal, options } = this.#options;
    this.#database = await Database.start(signal);
    const port = await steadyPort(this.#random);
    const adminPort = await steadyPort(this.#random);
    this.#service = new Service({
      ...{ dir, timeline, writers: 4 },
      config: {
        listen: { host: '127.0.0.1', port, maxConnections: options.agents },
        journal: { dir: 'journal' },
        store: { url: this.#database.url },
        admin: { port: adminPort },
      },
    });
    this.#faults = keeperFaults({ service: this.#service });
    this.#admin = new Admin(adminPort);
    await this.#service.start();
    this.#watch = new Watch({ service: this.#service, admin: this.#admin, histories: [], timeline });
    this.#fleet = await startFleet({
      ...{ ...SHAPE, port, agents: options.agents },
      ...{ neverReconnect: true, pauseMs: PAUSE_MS, cutFrames: true },
    });
    await this.#rounds(FIRST_ROUNDS);
    const [refused] = this.#fleet.lost;
    if (refused)
      throw new Error(`${this.#fleet.lost.length} agents were refused, the first one: ${refused.why}`);
    await this.#beginSpan();
    timeline.say(`${options.agents} agents, ${options.agents * SHAPE.services * SHAPE.hosts} keys`);
  }

  /** All events, each at its time or as soon as the ones before are over. */
  async run(): Promise<void> {
    const { timeline, signal, options } = this.#options;
    const beganMs = performance.now();
    for (const event of planOf(options.minutes, this.#random)) {
      const aheadMs = event.atMs - (performance.now() - beganMs);
      if (aheadMs > 0) await sleep(aheadMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#happen(event);
      timeline.say(`${event.kind}; ${this.#fleet!.connected} agents connected`);
    }
  }

  /** Every key once more, and then nothing may be missing. */
  async end(): Promise<void> {
    const { timeline, options } = this.#options;
    const [fleet, service, database] = [this.#fleet!, this.#service!, this.#database!];
    await this.#endSpan();
    await this.#rounds(2);
    const { connected, lost } = fleet;
    if (connected !== options.agents)
      timeline.violation(`${connected} of ${options.agents} agents are connected`);
    const { traffic } = await this.#admin!.status();
    if (traffic.connections !== options.agents)
      timeline.violation(`the reporter has ${traffic.connections} connections of ${options.agents} agents`);
    for (const { caller, why } of lost.slice(0, 5)) timeline.violation(`agent ${caller} is lost: ${why}`);
    const last = await fleet.stop();
    await this.#stored(last);
    const callers = [...last.keys()];
    const courses = new Map(
      callers.map((caller) => [caller, { sent: last.get(caller)!, journaled: last.get(caller)! }]),
    );
    const found = [
      ...checkTable(await database.rows(callers), [], courses, SHAPE),
      ...(await database.stepsBack(callers)).slice(0, 5),
    ];
    for (const violation of found) timeline.violation(violation);
    service.checkLog();
    timeline.say(`${connected} agents connected, every key looked at`);
    await this.#watch!.stop();
    await service.exclusively(() => service.drain());
  }

  /** Ends everything, in whatever state it is. */
  async close(): Promise<void> {
    await this.#watch?.stop();
    if (this.#service && this.#service.state !== 'down') await this.#service.kill();
    await this.#fleet?.stop();
    this.#admin?.close();
    await this.#database?.close();
  }

  async #happen({ kind }: Event): Promise<void> {
    await this.#running();
    const fault = this.#faults.find(({ name }) => name === kind);
    if (!fault) throw new Error(`the chaos run knows no fault "${kind}"`);
    const isKill = kind === 'reader killed';
    if (isKill) await this.#endSpan();
    // Agents send again when it comes.
    if (isKill) await sleep(this.#random() * 2 * PAUSE_MS);
    await fault.begin(this.#random);
    this.#done.set(kind, (this.#done.get(kind) ?? 0) + 1);
    if (isKill) {
      await this.#rounds(2);
      await this.#beginSpan();
    }
  }

  /** A process that starts, or hands over, hands over nothing. */
  async #running(): Promise<void> {
    const { signal } = this.#options;
    const isRunning = async () => (await this.#admin!.status()).state === 'running';
    await until(() => signal.aborted || isRunning().catch(() => false), {
      boundMs: BOUND_MS,
      what: 'the reporter to take reports',
    });
  }

  /** From here to `#endSpan` each row that is sent must be counted as received once. */
  async #beginSpan(): Promise<void> {
    await this.#stored(await this.#fleet!.hold());
    this.#span = await Span.begin(this.#service!, this.#admin!, this.#fleet!);
    this.#fleet!.go();
  }

  async #endSpan(): Promise<void> {
    await this.#stored(await this.#fleet!.hold());
    const { sent, received } = await this.#span!.count();
    if (sent !== received)
      this.#options.timeline.violation(
        `${sent} rows were sent over hand-overs and reloads, ${received} received`,
      );
    this.#spans++;
    this.#rowsCounted += received;
    this.#fleet!.go();
  }

  /** Waits until every agent has begun and sent so many rounds from now on. */
  async #rounds(count: number): Promise<void> {
    const { signal } = this.#options;
    const upTo = this.#fleet!.rounds + count;
    await until(() => signal.aborted || this.#fleet!.rounds >= upTo, {
      boundMs: BOUND_MS,
      what: `${count} rounds of every agent`,
    });
  }

  /** Waits until the table has the last round of every agent: all that was sent before has been read then. */
  async #stored(last: ReadonlyMap<number, number>): Promise<void> {
    const { signal } = this.#options;
    const callers = [...last.keys()];
    await until(
      async () => {
        if (signal.aborted) return true;
        const rows = await this.#database!.oldestRounds(callers);
        return (
          rows.length === callers.length && rows.every(({ caller, round }) => round === last.get(caller))
        );
      },
      { boundMs: BOUND_MS, what: 'the last round of every agent to be stored' },
    );
  }
}
