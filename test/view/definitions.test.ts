import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { listCallers } from '../../src/view/query/list-callers.js';
import { listIncidents } from '../../src/view/query/list-incidents.js';
import { listServices } from '../../src/view/query/list-services.js';
import { showService } from '../../src/view/query/show-service.js';
import { LEVELS } from '../../src/view/shapes.js';
import { View } from '../../src/view/view.js';
import type { ViewSettings } from '../../src/view/view-settings.js';
import { NaiveView } from './naive.js';
import { rowsOf, type Said, START, seconds } from './world.js';

const SERVICES = [
  [1, 2],
  [1, -3],
] as const;
const HOSTS = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.2:81'] as const;
const CALLERS = ['10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4', '10.8.0.1', '127.0.1.1', '0.0.0.0'];
const PEERS = ['10.8.0.1', '10.8.0.2', '10.8.0.3'];

const settings: fc.Arbitrary<ViewSettings> = fc.record({
  freshS: fc.constantFrom(5, 60),
  holdS: fc.constantFrom(5, 60, 90),
  errorShare: fc.constantFrom(0.1, 0.25),
  minCalls: fc.constantFrom(1, 5, 20),
  hideS: fc.constantFrom(30, 900),
  forgetS: fc.constantFrom(900, 3_600),
  maxRows: fc.constant(1_000),
});

const result = fc.tuple(
  fc.constantFrom(0, 0, 1, 3, 20, 400_000),
  fc.constantFrom(0, 0, 1, 2, 15),
  fc.boolean(),
);
const hosts = fc
  .tuple(fc.option(result), fc.option(result), fc.option(result))
  .map((results) =>
    Object.fromEntries(
      HOSTS.map((host, index) => [host, results[index]] as const).filter(([, one]) => one !== null),
    ),
  ) as fc.Arbitrary<Said['hosts']>;

const said = fc
  .record({
    service: fc.constantFrom(...SERVICES),
    caller: fc.constantFrom(...CALLERS),
    peer: fc.constantFrom(...PEERS),
    isPeerKnown: fc.boolean(),
    lateS: fc.constantFrom(0, 0, 1, 7, -6, 50, 70, 2_000),
    hosts,
  })
  .map(({ service: [modid, cmdid], peer, isPeerKnown, caller, ...rest }) => ({
    modid,
    cmdid,
    caller,
    peer: isPeerKnown || !caller.startsWith('10.') ? peer : null,
    ...rest,
  }));

type Step =
  | { readonly report: Said }
  | { readonly table: Said }
  | { readonly pass: number }
  | { readonly jump: number }
  | { readonly set: ViewSettings }
  | { readonly open: readonly string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: said.map((report) => ({ report })) },
  { weight: 2, arbitrary: said.map((table) => ({ table })) },
  { weight: 8, arbitrary: fc.constantFrom(1, 2, 5, 11, 30, 61).map((pass) => ({ pass })) },
  { weight: 1, arbitrary: fc.constantFrom(100, 300, 700, 1_900).map((jump) => ({ jump })) },
  { weight: 1, arbitrary: settings.map((set) => ({ set })) },
  { weight: 1, arbitrary: fc.subarray([...PEERS, ...CALLERS.slice(0, 2)]).map((open) => ({ open })) },
);

class Both {
  readonly view: View;
  readonly naive: NaiveView;
  #now = START;
  #settings: ViewSettings;
  /** Flags count shorter or longer than when they came: since when something is wrong is of both times. */
  #isRewritten = false;

  constructor(chosen: ViewSettings) {
    this.#settings = chosen;
    this.view = new View({ settings: chosen, startS: START });
    this.naive = new NaiveView(chosen, START);
  }

  do(step: Step): void {
    if ('report' in step) this.#report(step.report);
    else if ('table' in step) {
      const rows = rowsOf(step.table, this.#now);
      for (const row of rows) this.naive.table(row, this.#now);
      this.view.table(RowBatch.from(rows).words, this.#now);
    } else if ('set' in step) {
      const { freshS, holdS } = step.set;
      this.#isRewritten ||= freshS !== this.#settings.freshS || holdS !== this.#settings.holdS;
      this.#settings = step.set;
      this.naive.set(step.set);
      this.view.set(step.set, () => null);
    } else if ('open' in step) {
      const open = new Map(step.open.map((address) => [address, 1]));
      this.naive.connections(open);
      this.view.connections(open);
    } else if ('pass' in step) for (let second = 0; second < step.pass; second++) this.#tick(1);
    else this.#tick(step.jump);
    this.#tick(0);
    this.#compare();
  }

  #report(report: Said): void {
    const { peer = null } = report;
    const rows = rowsOf(report, this.#now);
    for (const row of rows) this.naive.live(row, peer, this.#now);
    const words = RowBatch.from(rows).words;
    const number = peer === null ? 0 : this.view.peer(peer);
    for (let at = 0; at < words.length; at += WORDS_PER_ROW) words[at + TAG]! |= 5 << 1;
    this.view.live(words, [0, 0, 0, 0, 0, number], this.#now);
  }

  #tick(by: number): void {
    this.#now += by;
    this.naive.tick(this.#now);
    this.view.tick(this.#now);
  }

  #compare(): void {
    assert.equal(this.view.counts().mismatches, 0, 'counters are as counted anew');
    assert.deepEqual(this.#viewVoices(), this.#naiveVoices());
    if (this.#isRewritten) {
      assert.deepEqual(withoutHistory(this.#viewServices()), withoutHistory(this.#naiveServices()));
      return;
    }
    assert.deepEqual(this.#viewServices(), this.#naiveServices());
    assert.deepEqual(this.#viewIncidents(), this.#naiveIncidents());
    for (const s of this.naive.services()) this.#compareService(s);
  }

  #viewServices() {
    return listServices(this.view, new URLSearchParams('state=live,quiet,silent,table')).services.map(
      (one) => ({
        s: `${one.modid}/${one.cmdid}`,
        level: one.level,
        trouble: one.trouble,
        state: one.state,
        flapping: one.flapping,
        since: seconds(one.since),
        codes: one.reasons.map(({ code }) => code).sort(),
        hosts: { ...one.hosts },
        callers: { ...one.callers },
        share: one.calls.errorShare,
        windowS: one.calls.windowS,
        heard: seconds(one.lastHeard),
      }),
    );
  }

  #naiveServices() {
    return this.naive
      .services()
      .map((s) => ({ s, ids: s.split('/').map(Number), ...this.naive.service(s) }))
      .sort(
        (a, b) =>
          b.trouble - a.trouble ||
          b.affected - a.affected ||
          b.calls60 - a.calls60 ||
          a.ids[0]! - b.ids[0]! ||
          a.ids[1]! - b.ids[1]!,
      )
      .map(({ s, level, trouble, state, flapping, since, codes, hosts, count, callers, ...one }) => ({
        s,
        level: LEVELS[level],
        trouble,
        state,
        flapping,
        since,
        codes: [...codes].sort(),
        hosts: {
          total: hosts,
          overloaded: count('overloaded'),
          disputed: count('disputed'),
          failing: count('failing'),
          noted: count('noted'),
          withdrawn: count('withdrawn'),
          stale: count('stale'),
        },
        callers: { fresh: callers, affected: one.affected, blackedOut: one.blackedOut, silent: one.silent },
        share: one.window === null ? null : Math.round(one.X * 10_000) / 10_000,
        windowS: one.window,
        heard: one.heard,
      }));
  }

  #viewVoices() {
    return listCallers(this.view, new URLSearchParams('limit=500'))
      .voices.map(({ caller, state, heard, lastPeer, skewS, shared, hot, lone, suspect }) => ({
        caller,
        state,
        heard: seconds(heard),
        lastPeer,
        skewS,
        shared,
        hot,
        lone,
        suspect,
      }))
      .sort(byText(({ caller }) => caller));
  }

  #naiveVoices() {
    const { naive } = this;
    return [...naive.voices]
      .map(([v, { heard, peer }]) => {
        const hot = naive.hotRowsOf(v).length;
        const lone = naive.loneRowsOf(v).length;
        return {
          caller: formatIpv4(v),
          state: naive.voiceState(v),
          heard,
          lastPeer: peer,
          skewS: naive.skew(v),
          shared: naive.shared(v),
          hot,
          lone,
          suspect: lone >= 3 && lone >= hot / 2,
        };
      })
      .sort(byText(({ caller }) => caller));
  }

  #viewIncidents() {
    return listIncidents(this.view, new URLSearchParams('limit=1000'))
      .incidents.map(({ kind, modid, cmdid, host, began, ended, peakHot, callers, ...rest }) => ({
        kind,
        s: `${modid}/${cmdid}`,
        host,
        began: seconds(began),
        ended: seconds(ended),
        peakHot,
        callers,
        relapses: rest.relapses,
        before: rest.before,
        firstCaller: rest.firstCaller,
      }))
      .sort(byText((incident) => JSON.stringify(incident)));
  }

  #naiveIncidents() {
    return this.naive.incidents
      .map(({ kind, s, h, began, ended, peakHot, callers, relapses, before, firstCaller }) => ({
        kind,
        s,
        host: h === null ? null : hostName(h),
        began,
        ended,
        peakHot,
        callers,
        relapses,
        before,
        firstCaller: firstCaller === null ? null : formatIpv4(firstCaller),
      }))
      .sort(byText((incident) => JSON.stringify(incident)));
  }

  #compareService(s: string): void {
    const { naive } = this;
    const [modid, cmdid] = s.split('/').map(Number);
    const answer = showService(this.view, modid!, cmdid!, new URLSearchParams('callers=500'));
    const ours = naive.hosts().filter((h) => h.startsWith(`${s} `));
    const shown = answer.hosts.map((host) => ({
      host: `${host.ip}:${host.port}`,
      state: host.state,
      agree: host.agree,
      hot: host.hot,
      flaggedNow: host.flaggedNow,
      callers: host.callers,
      since: seconds(host.since),
      relapses: host.relapses,
      before: host.before,
      flapping: host.flapping,
      share: host.calls.errorShare,
    }));
    const wanted = ours.map((h) => {
      const run = naive.run(h);
      const { share } = naive.errorShare({ h });
      return {
        host: hostName(h),
        state: naive.hostState(h),
        agree: Math.round(naive.agree(h) * 10_000) / 10_000,
        hot: naive.hotOf(h),
        flaggedNow: naive.rowsOfHost(h).filter((row) => naive.fresh(row) && row.flag).length,
        callers: naive.callersOf(h),
        since: run?.incident?.began ?? null,
        relapses: run?.incident ? run.relapses : 0,
        before: run?.incident ? run.before : null,
        flapping: naive.flapping(h),
        share: share === null ? null : Math.round(share * 10_000) / 10_000,
      };
    });
    const byHost = byText(({ host }: { host: string }) => host);
    assert.deepEqual([...shown].sort(byHost), wanted.sort(byHost));
    this.#compareMatrix(ours, answer);
  }

  #compareMatrix(ours: readonly string[], { hosts: shown, matrix }: ReturnType<typeof showService>): void {
    const { naive } = this;
    for (const [index, { ip, port }] of shown.entries()) {
      const h = ours.find((one) => hostName(one) === `${ip}:${port}`)!;
      const letters = matrix.voices.map((caller) => {
        const row = naive.rowsOfHost(h).find(({ v }) => formatIpv4(v) === caller);
        if (!row) return '.';
        const verdict = naive.verdict(row);
        if (verdict === 'overloaded') return row.flag ? 'O' : 'o';
        return { failing: 'F', ok: 'k', idle: 'i', stale: 's', withdrawn: 'w' }[verdict];
      });
      assert.equal(matrix.cells[index], letters.join(''));
    }
  }
}

function hostName(h: string): string {
  const [ip, port] = h.split(' ')[1]!.split(':');
  return `${formatIpv4(Number(ip))}:${port}`;
}

function byText<T>(text: (one: T) => string): (a: T, b: T) => number {
  return (a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}

/** A report of one host, from a peer that may be unknown. */
const from = (peer: string | null, caller: string): Step => ({
  report: { modid: 1, cmdid: -3, caller, peer, lateS: 0, hosts: { '10.0.0.2:81': [0, 0, false] } },
});

const ONE = { modid: 1, cmdid: -3, caller: '10.9.0.1', peer: null } as const;

const FAILED_ONCE: [ViewSettings, Step[]][] = [
  // A key that somebody unknown has written, and left again, is not the earlier writer's any more.
  [
    { freshS: 5, holdS: 5, errorShare: 0.1, minCalls: 1, hideS: 30, forgetS: 900, maxRows: 1000 },
    [
      from('10.8.0.2', '10.8.0.1'),
      from('10.8.0.1', '127.0.1.1'),
      from(null, '10.8.0.1'),
      from('10.8.0.1', '127.0.1.1'),
      from('10.8.0.1', '10.8.0.1'),
      from('10.8.0.2', '10.8.0.1'),
    ],
  ],
  // The table tells of a service that was forgotten in this second: its blackout has ended already.
  [
    { freshS: 60, holdS: 5, errorShare: 0.1, minCalls: 1, hideS: 30, forgetS: 900, maxRows: 1000 },
    [
      { report: { ...ONE, lateS: 0, hosts: { '10.0.0.2:81': [0, 0, true] } } },
      { jump: 1_900 },
      { table: { ...ONE, lateS: 50, hosts: { '10.0.0.2:80': [0, 0, false], '10.0.0.2:81': [0, 0, true] } } },
    ],
  ],
];

/** To reproduce: LARS_TEST_SEED and LARS_TEST_PATH as a failure tells them. LARS_TEST_RUNS: how many are tried. */
const { LARS_TEST_SEED, LARS_TEST_PATH, LARS_TEST_RUNS = '60' } = process.env;

test('whatever is reported, read and lost: the view says what the definitions say', (t) => {
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 40, size: 'max' }), (chosen, steps) => {
      const both = new Both(chosen);
      for (const one of steps) both.do(one);
    }),
    {
      includeErrorInReport: true,
      examples: FAILED_ONCE,
      numRuns: Number(LARS_TEST_RUNS),
      ...(LARS_TEST_SEED === undefined ? {} : { seed: Number(LARS_TEST_SEED) }),
      ...(LARS_TEST_PATH === undefined ? {} : { path: LARS_TEST_PATH }),
    },
  );
  t.pass();
});

/** What depends on the present alone. */
function withoutHistory(services: readonly { readonly since: number | null; readonly flapping: boolean }[]) {
  return services.map(({ since: _, flapping: __, ...present }) => present);
}
