import test, { type ExecutionContext } from 'ava';
import { listCallers } from '../../src/view/query/list-callers.js';
import { listChanges } from '../../src/view/query/list-changes.js';
import { listIncidents } from '../../src/view/query/list-incidents.js';
import { type Moment, reached, type SimulatedOptions, simulate, spread } from './simulated.js';

/** Calls a second of each of the 20 callers. */
const RATES = [0.2, 1, 10] as const;
const SECONDS = 400;

type Bounds = readonly [least: number, most: number];

interface Case {
  readonly title: string;
  readonly options: Omit<SimulatedOptions, 'callsPerSecond' | 'seconds'>;
  /** Most that is reached ever, for each rate. */
  readonly worst?: readonly [number, number, number];
  /** Within so many seconds, for each rate: the level is reached, */
  readonly reaches?: { readonly level: number; readonly withinS: readonly [number, number, number] };
  /** and from second 120 on stays between these. */
  readonly stays?: readonly [Bounds, Bounds, Bounds];
  /** Of the sick host from second 120 on: least and most, for each rate. */
  readonly agree?: readonly [Bounds, Bounds, Bounds];
  readonly raw?: Bounds;
}

const sick = (hosts: readonly number[] | 'all', share = 1) => [
  { kind: 'sick-host', hosts, share, fromMs: 0 } as const,
];
const always = <T>(one: T): readonly [T, T, T] => [one, one, one];

/** As the table of the specification has it, with room for another seed. */
const CASES: readonly Case[] = [
  { title: '0.1 % of errors', options: { errorShare: 0.001 }, worst: always(1), raw: [0, 0.05] },
  // At 0.2 calls/s one error marks a host for a minute or two, so three callers may do so at once.
  { title: '1 % of errors', options: { errorShare: 0.01 }, worst: [2, 1, 1], raw: [0, 0.1] },
  {
    title: '3 % of errors',
    options: { errorShare: 0.03 },
    worst: [2, 2, 0],
    agree: [
      [0, 0.25],
      [0, 0.2],
      [0, 0],
    ],
    raw: [0, 0.2],
  },
  {
    title: 'one dead host',
    options: { conditions: sick([0]) },
    worst: always(3),
    reaches: { level: 3, withinS: always(30) },
    stays: always([3, 3]),
    agree: [
      [0.8, 1],
      [1, 1],
      [1, 1],
    ],
    raw: [0, 1],
  },
  {
    title: 'two dead hosts of ten',
    options: { conditions: sick([0, 1]) },
    worst: always(3),
    reaches: { level: 3, withinS: always(30) },
    stays: always([3, 3]),
    agree: always([0.8, 1]),
  },
  {
    title: 'all hosts dead',
    options: { conditions: sick('all') },
    reaches: { level: 4, withinS: [60, 40, 30] },
    stays: always([4, 4]),
    agree: always([0.85, 1]),
    raw: [0.5, 1],
  },
  {
    title: 'one host that fails half of its calls',
    options: { conditions: sick([0], 0.5) },
    worst: always(3),
    reaches: { level: 2, withinS: [45, 30, 30] },
    stays: always([2, 3]),
    agree: [
      [0.35, 0.95],
      [0.35, 0.95],
      [0, 0.6],
    ],
    raw: [0, 0.75],
  },
  {
    title: 'one host that fails a fifth of its calls',
    options: { conditions: sick([0], 0.2) },
    worst: [3, 2, 2],
    reaches: { level: 2, withinS: [60, 60, 45] },
    stays: [
      [1, 3],
      [1, 2],
      [2, 2],
    ],
    agree: [
      [0.1, 0.65],
      [0, 0.5],
      [0, 0.05],
    ],
    raw: [0, 0.5],
  },
  {
    title: 'one sick caller of twenty',
    options: { conditions: [{ kind: 'sick-caller', agents: [0], fromMs: 0 }] },
    worst: always(2),
    reaches: { level: 2, withinS: [90, 50, 30] },
    stays: [
      [1, 2],
      [2, 2],
      [2, 2],
    ],
    agree: always([0, 0.05]),
    raw: [0, 0.05],
  },
  {
    title: 'the only host is dead',
    options: { hosts: 1, conditions: sick([0]) },
    reaches: { level: 4, withinS: [35, 25, 10] },
    stays: always([4, 4]),
    agree: [
      [0.5, 1],
      [1, 1],
      [1, 1],
    ],
  },
];

function within(t: ExecutionContext, values: readonly number[], [least, most]: Bounds, what: string): void {
  const [min, median, max] = spread(values);
  t.true(min >= least && max <= most, `${what}: ${min}/${median}/${max}, not within ${least} … ${most}`);
}

for (const { title, options, worst, reaches, stays, agree, raw } of CASES)
  for (const [index, callsPerSecond] of RATES.entries())
    test(`simulated, ${callsPerSecond} calls/s a caller: ${title}`, (t) => {
      const { moments } = simulate({ ...options, callsPerSecond, seconds: SECONDS });
      const late = moments.filter(({ second }) => second >= 120);
      const most = Math.max(...moments.map(({ level }) => level));
      if (worst) t.true(most <= worst[index]!, `level ${most}`);
      if (reaches) {
        const after = reached(moments, reaches.level);
        t.true(
          after !== undefined && after <= reaches.withinS[index]!,
          `level ${reaches.level} after ${after} s`,
        );
      }
      if (stays) within(t, levels(late), stays[index]!, 'level');
      if (agree)
        within(
          t,
          late.map((moment) => moment.agree),
          agree[index]!,
          'agree',
        );
      if (raw)
        within(
          t,
          late.map((moment) => moment.raw),
          raw,
          'raw flag',
        );
      t.pass();
    });

const levels = (moments: readonly Moment[]) => moments.map(({ level }) => level);

for (const [callsPerSecond, wellS] of [
  [0.2, 120],
  [1, 80],
  [10, 75],
] as const)
  test(`simulated, ${callsPerSecond} calls/s a caller: a host dead for 2 min is told for about a minute longer`, (t) => {
    const conditions = [{ kind: 'sick-host', hosts: [0], fromMs: 0, toMs: 120_000 } as const];
    const { moments } = simulate({ callsPerSecond, seconds: SECONDS, conditions });
    const last = (level: number) => moments.findLast((moment) => moment.level >= level)!.second;
    t.true(last(3) >= 150 && last(3) <= 195, `level 3 up to ${last(3)} s`);
    t.true(last(2) <= 120 + wellS, `level 2 up to ${last(2)} s`);
  });

test('simulated: a dead host is one incident with relapses, and overloaded in 99 % of all seconds', (t) => {
  const { moments, view } = simulate({ callsPerSecond: 10, seconds: 300, conditions: sick([0]) });
  const samples = moments.filter(({ second }) => second > 30);
  const told = samples.filter(({ answer }) => answer.hosts[0]!.state === 'overloaded');
  t.true(told.length >= samples.length * 0.99);
  const { incidents } = listIncidents(view, new URLSearchParams());
  t.deepEqual(
    incidents.map(({ kind, ended }) => [kind, ended]),
    [['host', null]],
  );
  t.true(incidents[0]!.relapses > 50);
  t.is(incidents[0]!.peakHot, 20);
});

test('simulated: a host that fails a fifth of its calls is failing, and hardly ever has the flag', (t) => {
  const { moments } = simulate({ callsPerSecond: 10, seconds: 120, conditions: sick([0], 0.2) });
  const first = moments.find(({ answer }) => answer.hosts[0]!.state === 'failing');
  t.true(first !== undefined && first.second <= 60);
  t.deepEqual(
    moments.filter(({ raw }) => raw > 0.05),
    [],
  );
});

test('simulated: a sick caller is named, and suspect', (t) => {
  const conditions = [{ kind: 'sick-caller', agents: [7], fromMs: 0 } as const];
  const { view, moments } = simulate({ callsPerSecond: 10, seconds: 120, conditions });
  const { voices } = listCallers(view, new URLSearchParams('suspect=true'));
  t.deepEqual(
    voices.map(({ caller, lone }) => [caller, lone]),
    [['10.0.0.8', 10]],
  );
  t.true(moments.at(-1)!.answer.summary.reasons.some(({ code }) => code === 'blackout'));
});

test('simulated: a host that fails half of its calls flaps', (t) => {
  const { moments } = simulate({ callsPerSecond: 1, seconds: 1_800, agents: 1, conditions: sick([0], 0.5) });
  t.true(moments.at(-1)!.answer.hosts.some(({ flapping }) => flapping));
  t.true(moments.at(-1)!.answer.summary.flapping);
});

test('simulated: without calls and with open connections it is quiet; without connections silent', (t) => {
  const conditions = [{ kind: 'silence', agents: 'all', fromMs: 0 } as const];
  const { view, world } = simulate({ callsPerSecond: 1, seconds: 1, conditions });
  const startS = world.startMs / 1000 + world.nowMs / 1000;
  const open = Array.from({ length: 20 }, (_, agent) => [`10.0.0.${agent + 1}`, 1] as const);
  view.connections(open);
  view.tick(startS + 70);
  const summary = () => view.snapshots.current.standings[0]!;
  t.deepEqual([summary().level, summary().state], [0, 2]);
  view.connections(open.slice(1));
  view.tick(startS + 71);
  t.deepEqual([summary().level, summary().state], [1, 3]);
  const gone = listCallers(view, new URLSearchParams('state=gone'));
  t.deepEqual(
    gone.voices.map(({ caller }) => caller),
    ['10.0.0.1'],
  );
});

test('simulated: a shared caller is told by its addresses; a clock that is off is told', (t) => {
  const conditions = [
    { kind: 'shared-caller', agents: { first: 0, last: 4 } } as const,
    { kind: 'clock-skew', agents: [9], skewMs: -30_000, fromMs: 0 } as const,
  ];
  const { view, moments } = simulate({ callsPerSecond: 1, seconds: 120, conditions });
  const shared = listCallers(view, new URLSearchParams('shared=true'));
  t.deepEqual(
    shared.voices.map(({ caller, via }) => [caller, via]),
    [1, 2, 3, 4, 5].map((last) => [`10.0.0.${last}`, '127.0.1.1']),
  );
  const skewed = listCallers(view, new URLSearchParams('skewed=true'));
  t.deepEqual(
    skewed.voices.map(({ caller, skewS }) => [caller, Math.round(skewS!)]),
    [['10.0.0.10', 30]],
  );
  t.is(moments.at(-1)!.answer.summary.callers.fresh, 20);
});

test('simulated: a host that leaves the route is withdrawn, and new when it comes back', (t) => {
  const conditions = [{ kind: 'withdraw', hosts: [0], fromMs: 0, toMs: 200_000 } as const];
  const { view, moments } = simulate({ callsPerSecond: 10, seconds: 240, conditions });
  const middle = moments.find(({ second }) => second === 150)!.answer;
  t.deepEqual(
    [middle.summary.hosts.total, middle.summary.hosts.withdrawn, middle.summary.level],
    [9, 1, 'ok'],
  );
  t.is(moments.at(-1)!.answer.summary.hosts.total, 10);
  const { events } = listChanges(view, new URLSearchParams('kind=host-new,host-withdrawn'));
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['host-new', 'host-withdrawn'],
  );
});
