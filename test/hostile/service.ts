import { encodeReportFrame } from '../../src/client/index.js';
import { type ConfigInput, type Logger, type Reporter, type Row, startReporter } from '../../src/index.js';
import type { FrameRejection } from '../../src/model/traffic.js';
import type { Store, StoreWriter } from '../../src/store/store.js';
import { HostileAgent } from '../../src/testing/agent.js';
import { expectStream, type StreamExpectation } from '../../src/testing/reference.js';
import { numberedReport } from '../support/agents.js';
import { keyOf } from '../support/watched-store.js';
import { type Held, held, leftBehind } from './resources.js';
import type { Counterexample } from './shrink.js';

/** Stands in `caller` of the neighbour's reports, and by chance in nobody else's. */
const NEIGHBOUR = 0x5eadbeef;
const NEIGHBOUR_HOSTS = 3;
/** Peers in 127.0.0.0/8 that hostile streams come from, in turn. */
const HOSTILE_PEERS = 200;
const BOUND_MS = 20_000;

/** The newest row of each key, and whether the neighbour's came in order. */
class MemoryStore implements Store {
  readonly description = 'memory';
  readonly rows = new Map<string, Row>();
  stepBack: string | undefined;

  /** So that a run of any length fits into memory. */
  forgetStrangers(): void {
    for (const [key, { caller }] of this.rows) if (caller !== NEIGHBOUR) this.rows.delete(key);
  }

  async open(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}

  writer(): StoreWriter {
    return {
      upsert: async (rows) => {
        for (const row of rows) {
          const key = keyOf(row);
          if (row.caller === NEIGHBOUR && (this.rows.get(key)?.succ ?? 0) > row.succ)
            this.stepBack ??= `the neighbour's ${key} went back to ${row.succ}`;
          this.rows.set(key, row);
        }
      },
      close: async () => {},
    };
  }
}

/** Counters of traffic that a reference predicts. */
interface Counted {
  accepted: number;
  refused: number;
  frames: number;
  reports: number;
  emptyReports: number;
  saturated: number;
  rejected: Record<FrameRejection, number>;
  rows: number;
}

/**
 * A whole reporter, hostile agents that come and go, and one well-behaved neighbour that reports all the time. After
 * each wave of streams everything the reporter says must be what the reference predicts.
 */
export class HostileService {
  readonly reporter: Reporter;
  readonly #store: MemoryStore;
  readonly #neighbour: HostileAgent;
  readonly #before: Held;
  /** Reports the neighbour has sent. */
  #neighbourRounds = 0;
  #neighbourBytes = 0;
  #peers = 0;
  /** Lines the reporter logged as warnings or errors. */
  readonly warnings: object[];

  private constructor(
    reporter: Reporter,
    store: MemoryStore,
    neighbour: HostileAgent,
    warnings: object[],
    before: Held,
  ) {
    this.reporter = reporter;
    this.#store = store;
    this.#neighbour = neighbour;
    this.warnings = warnings;
    this.#before = before;
  }

  static async start(dir: string, listen: ConfigInput['listen'] = {}): Promise<HostileService> {
    const before = held();
    const warnings: object[] = [];
    const note = (fields: object) => void warnings.push(fields);
    const logger: Logger = { debug: () => {}, info: () => {}, warn: note, error: note };
    const store = new MemoryStore();
    const reporter = await startReporter(
      { listen: { host: '127.0.0.1', port: 0, ...listen }, admin: { port: 0 }, journal: { dir } },
      { store, logger },
    );
    const neighbour = await HostileAgent.connect({ port: reporter.address.port });
    await waitFor(() => reporter.status().traffic.connections === 1, 'the neighbour to be connected');
    return new HostileService(reporter, store, neighbour, warnings, before);
  }

  /**
   * Sends streams at the same time, each on a connection of its own that is closed behind it, while the neighbour goes
   * on. Returns what is not as the reference predicts, undefined when all is.
   */
  async run(streams: readonly Counterexample[]): Promise<string | undefined> {
    const expected = streams.map(({ bytes }) => expectStream(bytes));
    const before = this.#counted();
    const bytesBefore = this.reporter.status().traffic.bytes;
    const roundsBefore = this.#neighbourRounds;
    const neighbourBytesBefore = this.#neighbourBytes;
    let isOver = false;
    const neighbour = this.#report(() => isOver);
    await Promise.all(streams.map((stream) => this.#send(stream)));
    isOver = true;
    await neighbour;
    const rounds = this.#neighbourRounds - roundsBefore;
    const wanted = sum(before, expected, rounds);
    const { reporter } = this;
    const isQuiet = () => {
      const { traffic, inflightBytes, ledger } = reporter.status();
      return (
        traffic.connections === 1 &&
        traffic.frames >= wanted.frames &&
        inflightBytes === 0 &&
        ledger.pending === 0
      );
    };
    const quiet = await waitFor(isQuiet, 'the reporter to be at rest');
    const neighbourBytes = this.#neighbourBytes - neighbourBytesBefore;
    const bytes = reporter.status().traffic.bytes - bytesBefore - neighbourBytes;
    const found =
      difference(this.#counted(), wanted) ??
      bytesDifference(bytes, streams, expected) ??
      quiet ??
      this.#rowDifference(expected) ??
      this.#neighbourDifference();
    this.#store.forgetStrangers();
    return found;
  }

  /** Ends everything. Returns what is left behind, undefined when it is nothing. */
  async stop(): Promise<string | undefined> {
    await this.#neighbour.close();
    await this.reporter.stop();
    return leftBehind(this.#before);
  }

  async #send({ bytes, cuts }: Counterexample): Promise<void> {
    const peer = ++this.#peers % HOSTILE_PEERS;
    const agent = await HostileAgent.connect({
      port: this.reporter.address.port,
      localAddress: `127.1.0.${1 + peer}`,
    });
    await agent.sendSplit(bytes, cuts);
    await agent.close();
  }

  /** The neighbour reports, again and again, until it is over, and once at least. */
  async #report(isOver: () => boolean): Promise<void> {
    do {
      const report = numberedReport(1, NEIGHBOUR, NEIGHBOUR_HOSTS, ++this.#neighbourRounds);
      const frame = encodeReportFrame(report);
      this.#neighbourBytes += frame.length;
      await this.#neighbour.sendBytes(frame);
      await new Promise(setImmediate);
    } while (!isOver());
  }

  #counted(): Counted {
    const { traffic, ledger } = this.reporter.status();
    const { accepted, refused, frames, reports, emptyReports, saturated } = traffic;
    const rejected = { ...traffic.framesRejected };
    return { accepted, refused, frames, reports, emptyReports, saturated, rejected, rows: ledger.received };
  }

  #neighbourDifference(): string | undefined {
    if (this.#store.stepBack) return this.#store.stepBack;
    if (!this.reporter.ledger().balanced) return `unbalanced: ${JSON.stringify(this.reporter.ledger())}`;
    if (!this.#neighbour.isOpen) return 'the neighbour was closed';
    const own = [...this.#store.rows.values()].filter((row) => row.caller === NEIGHBOUR);
    if (own.length !== NEIGHBOUR_HOSTS) return `the neighbour has ${own.length} rows`;
    const late = own.find((row) => row.succ !== this.#neighbourRounds);
    return late && `the neighbour sent ${this.#neighbourRounds}, its row stands at ${late.succ}`;
  }

  /** Each key stands at the last value that one of the streams gave it. */
  #rowDifference(expected: readonly StreamExpectation[]): string | undefined {
    const allowed = new Map<string, string[]>();
    for (const { rows } of expected) {
      const last = new Map<string, Row>();
      for (const row of rows) last.set(keyOf(row), row);
      for (const [key, row] of last) allowed.set(key, [...(allowed.get(key) ?? []), valueText(row)]);
    }
    for (const [key, values] of allowed) {
      const row = this.#store.rows.get(key);
      if (!row) return `no row of ${key}`;
      if (!values.includes(valueText(row)))
        return `${key} stands at ${valueText(row)}, sent last was ${values}`;
    }
    return undefined;
  }
}

const valueText = ({ succ, err, ts, overload }: Row) => `${succ}/${err}/${ts}/${overload}`;

function sum(before: Counted, expected: readonly StreamExpectation[], neighbourRounds: number): Counted {
  const wanted: Counted = { ...before, rejected: { ...before.rejected } };
  wanted.accepted += expected.length;
  wanted.frames += neighbourRounds;
  wanted.reports += neighbourRounds;
  wanted.rows += neighbourRounds * NEIGHBOUR_HOSTS;
  for (const { frames, reports, emptyReports, saturated, rejected, rows } of expected) {
    wanted.frames += frames;
    wanted.reports += reports;
    wanted.emptyReports += emptyReports;
    wanted.saturated += saturated;
    wanted.rows += rows.length;
    for (const reason of Object.keys(rejected) as FrameRejection[])
      wanted.rejected[reason] += rejected[reason];
  }
  return wanted;
}

function difference(seen: Counted, wanted: Counted): string | undefined {
  for (const reason of Object.keys(wanted.rejected) as FrameRejection[])
    if (seen.rejected[reason] !== wanted.rejected[reason])
      return `rejected as ${reason}: ${seen.rejected[reason]}, expected ${wanted.rejected[reason]}`;
  for (const key of [
    'accepted',
    'refused',
    'frames',
    'reports',
    'emptyReports',
    'saturated',
    'rows',
  ] as const)
    if (seen[key] !== wanted[key]) return `${key}: ${seen[key]}, expected ${wanted[key]}`;
  return undefined;
}

/** Of a stream that is refused in its middle nobody says how much behind that place has been read. */
function bytesDifference(
  seen: number,
  streams: readonly Counterexample[],
  expected: readonly StreamExpectation[],
): string | undefined {
  let least = 0;
  let most = 0;
  for (const [index, { bytes }] of streams.entries()) {
    const { ending, followedBytes } = expected[index]!;
    most += bytes.length;
    least += ending === 'whole' || ending === 'incomplete' ? bytes.length : followedBytes;
  }
  return seen < least || seen > most ? `${seen} bytes are counted, sent were ${least} to ${most}` : undefined;
}

async function waitFor(condition: () => boolean, what: string): Promise<string | undefined> {
  const deadline = performance.now() + BOUND_MS;
  while (!condition()) {
    if (performance.now() > deadline) return `waited in vain for ${what}`;
    await new Promise(setImmediate);
  }
  return undefined;
}
