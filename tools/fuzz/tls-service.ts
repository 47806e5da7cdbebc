import { mkdirSync, readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { connectAgent, encodeReportFrame } from '../../src/client/index.js';
import { Dice } from '../../src/testing/dice.js';
import { HostileAgent } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { TestAuthority } from '../shared/certificates.js';
import { roundOf } from '../shared/reports.js';
import { BOUND, Siege } from '../shared/siege.js';
import { hostileHeader } from './proxy-headers.js';

/** Whose connections begin with a PROXY header. */
const BALANCER = '127.20.0.1';
const CALLER = 0x7a110001;
const PEERS = 200;
/** Short, so that what waits for the end of a handshake is over soon. */
const HANDSHAKE_MS = 1000;

export interface HostileHandshake {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
  readonly localAddress: string;
}

/** A whole reporter that speaks TLS, peers that only seem to, and agents with TLS and without that go on beside them. */
export class TlsService {
  readonly #siege: Siege;
  readonly #authority: TestAuthority;
  /** What a client says first. */
  readonly #hello: Buffer;
  #good = 0;

  private constructor(siege: Siege, authority: TestAuthority, hello: Buffer) {
    this.#siege = siege;
    this.#authority = authority;
    this.#hello = hello;
  }

  static async start(dir: string): Promise<TlsService> {
    mkdirSync(dir, { recursive: true });
    const authority = new TestAuthority(dir);
    const tls = { port: 0, ...authority.issue(), handshakeTimeoutMs: HANDSHAKE_MS };
    const siege = await Siege.start(`${dir}/journal`, { listen: { proxyFrom: [BALANCER], tls } });
    return new TlsService(siege, authority, await helloOf());
  }

  get traffic() {
    return this.#siege.traffic;
  }

  /** What a seed sends: handshakes that are cut off or damaged, records of any kind, anything. */
  streamOf(seed: number): HostileHandshake {
    const dice = new Dice(seed);
    const isBalancer = dice.chance(1, 4);
    const pieces = [...(isBalancer ? [hostileHeader(seed).bytes] : []), this.#handshake(dice)];
    const bytes = Buffer.concat(pieces);
    const cuts = Array.from({ length: dice.below(6) }, () => dice.below(bytes.length)).sort((a, b) => a - b);
    const localAddress = isBalancer ? BALANCER : `127.1.0.${1 + dice.below(PEERS)}`;
    return { bytes, cuts, localAddress };
  }

  /** Sends streams at the same time. Returns what is not as it should be, undefined when all is. */
  async run(streams: readonly HostileHandshake[]): Promise<string | undefined> {
    const siege = this.#siege;
    const { port } = siege.reporter.secureAddress!;
    const noticed = await siege.withNeighbour(async () => {
      const sending = streams.map(async ({ bytes, cuts, localAddress }) => {
        const agent = await HostileAgent.connect({ port, localAddress });
        await agent.sendSplit(bytes, cuts);
        await agent.close();
      });
      await this.#goodAgent(port);
      await Promise.all(sending);
    });
    await until(() => this.traffic.tls.pending === 0, { ...BOUND, what: 'all handshakes to be over' });
    await siege.atRest();
    const { handshakes, connections } = this.traffic.tls;
    if (handshakes !== this.#good) return `${handshakes} handshakes, expected ${this.#good}`;
    if (connections !== 0) return `${connections} connections with TLS are left`;
    siege.rows.forgetStrangers();
    return noticed && `the neighbour noticed: ${noticed}`;
  }

  stop(): Promise<string | undefined> {
    return this.#siege.stop();
  }

  /** Comes, is stored, and goes. */
  async #goodAgent(port: number): Promise<void> {
    const tls = { ca: readFileSync(this.#authority.ca) };
    const agent = await connectAgent({ host: '127.0.0.1', port, tls });
    const round = ++this.#good;
    await agent.sendBytes(encodeReportFrame(roundOf(CALLER, round, 1)));
    await agent.close();
    const isStored = () =>
      [...this.#siege.rows.newest.values()].some(({ caller, succ }) => caller === CALLER && succ === round);
    await until(isStored, { ...BOUND, what: 'a report over TLS to be stored' });
  }

  #handshake(dice: Dice): Buffer {
    const hello = Buffer.from(this.#hello);
    switch (dice.below(5)) {
      case 0:
        return hello.subarray(0, dice.below(hello.length));
      case 1:
        for (let times = dice.between(1, 8); times > 0; times--)
          hello[dice.below(hello.length)] = dice.below(256);
        return hello;
      case 2: {
        const records = Array.from({ length: dice.between(1, 6) }, () => record(dice));
        return Buffer.concat(dice.chance(1, 2) ? [hello, ...records] : records);
      }
      case 3:
        return Buffer.concat([hello, hello]);
      default:
        return Buffer.from(dice.bytes(dice.below(2000)));
    }
  }
}

/** A record of TLS that holds anything. */
function record(dice: Dice): Buffer {
  const content = Buffer.from(dice.bytes(dice.below(300)));
  const length = dice.chance(3, 4) ? content.length : dice.below(65_536);
  const head = [
    dice.pick([20, 21, 22, 23, 24, dice.below(256)]),
    3,
    dice.below(5),
    length >> 8,
    length & 255,
  ];
  return Buffer.concat([Buffer.from(head), content]);
}

function helloOf(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => {},
      write: (chunk: Buffer) => {
        resolve(Buffer.from(chunk));
        setImmediate(() => client.destroy());
      },
    });
    const client = connect({ socket: wire }).on('error', () => {});
  });
}
