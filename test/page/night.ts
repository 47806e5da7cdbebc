import { formatIpv4 } from '../../src/model/ipv4.js';
import { RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { type Condition, World } from '../../src/simulation/index.js';
import { rowsOf } from '../../src/testing/rows.js';
import { listServices } from '../../src/view/query/list-services.js';
import { View } from '../../src/view/view.js';
import { namesFrom } from '../../src/view/view-settings.js';
import { Site, type SiteOptions } from './site.js';

const MINUTE_MS = 60_000;
/** How long it has been going on when the page is opened. */
const PAST_S = 40 * 60;
const GONE = '10.9.0.19';
const ALL = new URLSearchParams('limit=500');
/** A name that would hurt a page that took it for HTML. */
export const HOSTILE_NAME = '<img src=x onerror="document.title=1"><b>&amp;</b>';

const NAMES = {
  '4242/1': 'feed',
  '4242/2': 'feed write',
  '4242/3': 'session',
  '4242/4': 'search',
  '4242/5': HOSTILE_NAME,
  '4242/6': 'gift',
  '4242/7': 'push',
  '4242/8': 'rank',
  '4242/9': 'live list',
};

/** Some machines that call some services, and what is wrong with them. */
interface Part {
  readonly modid: number;
  readonly agents: number;
  readonly services: number;
  readonly hosts: number;
  readonly firstCaller: number;
  readonly conditions: readonly Condition[];
}

/** The night in question; times from its beginning, the page is opened at minute 40. */
const PARTS: readonly Part[] = [
  {
    ...{ modid: 4242, agents: 20, services: 9, hosts: 8, firstCaller: 0x0a09_0001 },
    conditions: [
      { kind: 'outage', services: [3], fromMs: 38 * MINUTE_MS },
      { kind: 'sick-host', hosts: [1], services: [0], fromMs: 9 * MINUTE_MS },
      { kind: 'sick-host', hosts: [2, 5], services: [5], fromMs: 33 * MINUTE_MS },
      { kind: 'sick-host', hosts: 'all', services: [6], share: 0.13, fromMs: 31 * MINUTE_MS },
      { kind: 'sick-host', hosts: [0], services: [8], fromMs: 12 * MINUTE_MS, toMs: 20 * MINUTE_MS },
      {
        ...{ kind: 'flap', hosts: [3], services: [7], onMs: 2 * MINUTE_MS, offMs: 4 * MINUTE_MS },
        fromMs: 12 * MINUTE_MS,
      },
      { kind: 'silence', agents: [17, 18], fromMs: 35 * MINUTE_MS },
      { kind: 'withdraw', hosts: [7], services: [1], fromMs: 38 * MINUTE_MS },
      { kind: 'clock-skew', agents: [4], skewMs: -42_000 },
    ],
  },
  {
    ...{ modid: 310, agents: 9, services: 2, hosts: 5, firstCaller: 0x0a09_0101 },
    conditions: [{ kind: 'sick-caller', agents: [3], fromMs: 36 * MINUTE_MS }],
  },
  { ...{ modid: 77, agents: 6, services: 12, hosts: 4, firstCaller: 0x0a09_0201 }, conditions: [] },
];

interface Minutes {
  readonly t: string[];
  readonly calls: (number | null)[];
  readonly errs: (number | null)[];
  readonly overloaded: (number | null)[];
}

/** A view that has seen 40 minutes of a bad night, and goes on in real time. */
export class Night {
  readonly view: View;
  readonly #parts: readonly { readonly world: World; readonly peers: Int32Array }[];
  readonly #startS: number;
  /** Seconds gone by. */
  #seconds = 0;
  readonly #minutes = new Map<string, Minutes>();

  /** It is 40 minutes old now. */
  constructor() {
    this.#startS = Math.floor(Date.now() / 1000) - PAST_S;
    this.view = new View({ startS: this.#startS, nameOf: namesFrom(NAMES) });
    this.#parts = PARTS.map(({ modid, ...part }) => {
      const world = new World({
        ...{ ...part, modidBase: modid, startMs: this.#startS * 1000 },
        ...{ callsPerSecond: 0.6, errorShare: 0.001 },
      });
      const addresses = Array.from({ length: part.agents }, (_, agent) => formatIpv4(world.callerOf(agent)));
      // The connection of one of the silent ones is gone.
      for (const address of addresses) if (address !== GONE) this.view.connection(address, 1);
      return { world, peers: Int32Array.from([0, ...addresses.map((address) => this.view.peer(address))]) };
    });
    while (this.#seconds < PAST_S) {
      this.second();
      this.view.tick(this.nowS());
      if (this.#seconds % 60 === 0) this.#keepMinute();
    }
  }

  readonly nowS = (): number => this.#startS + this.#seconds;

  /** What agents report in the next second. */
  readonly second = (): void => {
    this.#seconds++;
    for (const { world, peers } of this.#parts)
      for (const { agent, report } of world.reportsUntil(this.#seconds * 1000 - 1)) {
        const { words } = RowBatch.from(rowsOf(report));
        for (let at = 0; at < words.length; at += WORDS_PER_ROW) words[at + TAG]! |= (agent + 1) << 1;
        this.view.live(words, peers, this.nowS() - 1);
      }
  };

  /** As /api/history would answer. */
  readonly history = (query: URLSearchParams): unknown => {
    const minutes = this.#minutes.get(`${query.get('modid')}/${query.get('cmdid')}`);
    const last = (values: readonly unknown[] = []) => values.slice(-30);
    return {
      step: '1m',
      ...{ t: last(minutes?.t), calls: last(minutes?.calls), errs: last(minutes?.errs) },
      overloaded: last(minutes?.overloaded),
      coverage: last(minutes?.calls).map((calls) => (calls === null ? 0 : 1)),
    };
  };

  /** With a history, unless there is to be none. */
  site({ hasHistory = true, ...options }: Partial<SiteOptions> & { hasHistory?: boolean } = {}): Site {
    const { view, nowS, history } = this;
    return new Site({ view, nowS, onSecond: this.second, ...(hasHistory ? { history } : {}), ...options });
  }

  #keepMinute(): void {
    for (const { modid, cmdid, calls, hosts } of listServices(this.view, ALL).services) {
      const minutes = this.#minutes.get(`${modid}/${cmdid}`) ?? {
        t: [],
        calls: [],
        errs: [],
        overloaded: [],
      };
      this.#minutes.set(`${modid}/${cmdid}`, minutes);
      // A gap, as after a restart.
      const isKnown = this.#seconds !== 22 * 60 && this.#seconds !== 23 * 60;
      minutes.t.push(new Date(this.nowS() * 1000).toISOString());
      minutes.calls.push(isKnown ? Math.round(calls.perSecond * 60) : null);
      minutes.errs.push(isKnown ? Math.round(calls.errorsPerSecond * 60) : null);
      minutes.overloaded.push(isKnown ? hosts.overloaded : null);
    }
  }
}
