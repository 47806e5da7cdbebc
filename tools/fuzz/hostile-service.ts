import type { Reporter, Row } from '../../src/index.js';
import type { FrameRejection } from '../../src/model/traffic.js';
import { keyOf } from '../../src/testing/index.js';
import { expectStream, type StreamExpectation } from '../../src/testing/reference.js';
import { NEIGHBOUR_HOSTS, Siege } from '../shared/siege.js';
import type { Counterexample } from './shrink.js';

/** Peers in 127.0.0.0/8 that hostile streams come from, in turn. */
const HOSTILE_PEERS = 200;

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
 * A whole reporter, hostile agents that come and go, and a well-behaved neighbour. After each wave of streams
 * every count of the reporter must be what the reference predicts.
 */
export class HostileService {
  readonly #siege: Siege;
  #peers = 0;

  private constructor(siege: Siege) {
    this.#siege = siege;
  }

  static async start(dir: string): Promise<HostileService> {
    return new HostileService(await Siege.start(dir));
  }

  get reporter(): Reporter {
    return this.#siege.reporter;
  }

  /**
   * Sends streams at the same time, each on a connection of its own that is closed behind it, while the neighbour goes
   * on. Returns what is not as the reference predicts, undefined when all is.
   */
  async run(streams: readonly Counterexample[]): Promise<string | undefined> {
    const siege = this.#siege;
    const expected = streams.map(({ bytes }) => expectStream(bytes));
    const before = this.#counted();
    const { neighbourRounds, neighbourBytes } = siege;
    const bytesBefore = siege.traffic.bytes;
    const noticed = await siege.withNeighbour(async () => {
      await Promise.all(streams.map((stream) => this.#send(stream)));
    });
    await siege.atRest();
    const wanted = sum(before, expected, siege.neighbourRounds - neighbourRounds);
    const bytes = siege.traffic.bytes - bytesBefore - (siege.neighbourBytes - neighbourBytes);
    const found =
      difference(this.#counted(), wanted) ??
      bytesDifference(bytes, streams, expected) ??
      this.#rowDifference(expected) ??
      (noticed && `the neighbour noticed: ${noticed}`);
    siege.rows.forgetStrangers();
    return found;
  }

  /** Ends everything. Returns what is left behind, undefined when it is nothing. */
  stop(): Promise<string | undefined> {
    return this.#siege.stop();
  }

  async #send({ bytes, cuts }: Counterexample): Promise<void> {
    const peer = ++this.#peers % HOSTILE_PEERS;
    const agent = await this.#siege.agent({ localAddress: `127.1.0.${1 + peer}` });
    await agent.sendSplit(bytes, cuts);
    await agent.close();
  }

  #counted(): Counted {
    const { traffic, ledger } = this.reporter.status();
    const { accepted, refused, frames, reports, emptyReports, saturated } = traffic;
    const rejected = { ...traffic.framesRejected };
    return { accepted, refused, frames, reports, emptyReports, saturated, rejected, rows: ledger.received };
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
      const row = this.#siege.rows.newest.get(key);
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

/** When a stream is rejected in its middle, nobody knows how much behind that place was read. */
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
