import test from 'ava';
import fc from 'fast-check';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import {
  type Condition,
  RULES,
  type Selection,
  type SentReport,
  World,
  type WorldOptions,
} from '../../src/simulation/index.js';

const START_MS = Date.UTC(2027, 0, 1);
const MINUTE_MS = 60_000;

function sentBy(options: WorldOptions, untilMs: number): SentReport[] {
  return [...new World(options).reportsUntil(untilMs)];
}

const span = fc
  .tuple(fc.nat(120_000), fc.nat(120_000))
  .map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) + 1 }));
const few: fc.Arbitrary<Selection> = fc.oneof(
  fc.constant('all' as const),
  fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
  fc.record({ first: fc.constant(1), last: fc.nat(4) }),
);
const share = fc.constantFrom(0.2, 0.5, 1);
const condition: fc.Arbitrary<Condition> = fc
  .oneof(
    fc.record({ kind: fc.constant('sick-host' as const), hosts: few, services: few, share }),
    fc.record({ kind: fc.constant('sick-caller' as const), agents: few, share }),
    fc.record({ kind: fc.constant('outage' as const), services: few, share }),
    fc.record({ kind: fc.constant('silence' as const), agents: few }),
    fc.record({ kind: fc.constant('withdraw' as const), hosts: few, services: few }),
    fc.record({ kind: fc.constant('shared-caller' as const), agents: few }),
    fc.record({
      kind: fc.constant('clock-skew' as const),
      agents: few,
      skewMs: fc.integer({ min: -300_000, max: 300_000 }),
    }),
    fc.record({
      kind: fc.constant('flap' as const),
      hosts: few,
      onMs: fc.constant(20_000),
      offMs: fc.constant(9000),
    }),
  )
  .chain((each) => span.map((when) => ({ ...each, ...when })));

const world: fc.Arbitrary<WorldOptions> = fc.record({
  agents: fc.integer({ min: 1, max: 5 }),
  services: fc.integer({ min: 1, max: 3 }),
  hosts: fc.integer({ min: 1, max: 5 }),
  callsPerSecond: fc.constantFrom(0.2, 1, 10),
  errorShare: fc.constantFrom(0, 0.01, 0.3),
  conditions: fc.array(condition, { maxLength: 4 }),
  rules: fc.constantFrom(...Object.values(RULES)),
  seed: fc.nat(),
});

const holds = (selection: Selection | undefined, number: number): boolean => {
  if (selection === undefined || selection === 'all') return true;
  if ('first' in selection) return number >= selection.first && number <= selection.last;
  return selection.includes(number);
};

const isOn = (
  { fromMs = 0, toMs = Number.POSITIVE_INFINITY }: { fromMs?: number; toMs?: number },
  atMs: number,
) => atMs >= fromMs && atMs < toMs;

test('whatever is wrong, a report has each host of the route once, no withdrawn one, and no counter below 0', (t) => {
  fc.assert(
    fc.property(world, (options) => {
      const { hosts, services = 1, agents, conditions = [] } = options;
      const made = new World(options);
      let last = 0;
      for (const { atMs, agent, service, report } of made.reportsUntil(3 * MINUTE_MS)) {
        t.true(atMs >= last && agent < agents && service < services);
        last = atMs;
        const route = [];
        for (let host = 0; host < hosts; host++) {
          const isWithdrawn = conditions.some(
            (each) =>
              each.kind === 'withdraw' &&
              isOn(each, atMs) &&
              holds(each.hosts, host) &&
              holds(each.services, service),
          );
          if (!isWithdrawn) route.push(formatIpv4(made.addresses.ip(service, host)));
        }
        t.true(route.length > 0, 'without hosts there is no report');
        t.deepEqual(report.results.map(({ ip }) => formatIpv4(ip)).sort(), route.sort());
        t.true(report.results.every(({ succ, err }) => succ >= 0 && err >= 0));
      }
      t.is(made.nowMs, 3 * MINUTE_MS);
    }),
    { numRuns: 60 },
  );
});

test('the same options send the same; another seed does not', (t) => {
  fc.assert(
    fc.property(world, (options) => {
      t.deepEqual(sentBy(options, MINUTE_MS), sentBy(options, MINUTE_MS));
    }),
    { numRuns: 20 },
  );
  const options = { agents: 2, hosts: 3, callsPerSecond: 5 };
  t.notDeepEqual(sentBy({ ...options, seed: 1 }, MINUTE_MS), sentBy({ ...options, seed: 2 }, MINUTE_MS));
});

test('time may pass in steps of any size, and be left in the middle of one', (t) => {
  const options = { agents: 3, services: 2, hosts: 4, callsPerSecond: 3, errorShare: 0.1 };
  const made = new World(options);
  const sent: SentReport[] = [];
  for (let untilMs = 0; untilMs <= MINUTE_MS; untilMs += 700) {
    for (const each of made.reportsUntil(untilMs)) {
      sent.push(each);
      if (sent.length % 5 === 0) break;
    }
  }
  sent.push(...made.reportsUntil(MINUTE_MS));
  t.deepEqual(sent, sentBy(options, MINUTE_MS));
});

test('what is wrong with a host changes results, not when calls are made', (t) => {
  const options = { agents: 3, hosts: 4, callsPerSecond: 5 };
  const sick = { kind: 'sick-host', hosts: [1], fromMs: 20_000 } as const;
  const [well, ill] = [sentBy(options, MINUTE_MS), sentBy({ ...options, conditions: [sick] }, MINUTE_MS)];
  t.deepEqual(
    ill.map(({ atMs, agent }) => [atMs, agent]),
    well.map(({ atMs, agent }) => [atMs, agent]),
  );
  t.notDeepEqual(ill, well);
});

test('calls come about as often as asked for, and each is followed by a report', (t) => {
  const made = new World({ agents: 4, services: 3, hosts: 5, callsPerSecond: 2, errorShare: 0.1 });
  const sent = [...made.reportsUntil(30 * MINUTE_MS)];
  const { calls } = made;
  t.is(calls.made, sent.length);
  t.is(calls.refused, 0);
  t.true(Math.abs(calls.made / (4 * 3 * 2 * 1800) - 1) < 0.03, `${calls.made}`);
  t.true(Math.abs(calls.failed / calls.made - 0.1) < 0.01, `${calls.failed}`);
});

/** How many of the newest reports of all agents say overloaded of a host at the end. */
function flagsAt(options: WorldOptions, untilMs: number): { flags: number[][]; made: World } {
  const made = new World(options);
  const flags: number[][] = Array.from({ length: options.agents }, () => []);
  for (const { agent, report } of made.reportsUntil(untilMs)) {
    flags[agent] = report.results.filter(({ overload }) => overload).map(({ ip }) => ip);
  }
  return { flags, made };
}

test('in an outage every host is overloaded for every caller, and ten of eleven calls are refused', (t) => {
  const outage = { kind: 'outage', services: 'all', fromMs: 30_000 } as const;
  const options = { agents: 5, hosts: 4, callsPerSecond: 20, conditions: [outage] };
  // All are overloaded by 36 s, and the first is taken back after 45 s.
  const { flags, made } = flagsAt(options, 36_000);
  t.deepEqual(
    flags.map((each) => each.length),
    [4, 4, 4, 4, 4],
  );
  const before = { ...made.calls };
  for (const { report } of made.reportsUntil(44_000))
    t.true(report.results.every(({ overload }) => overload));
  const refused = made.calls.refused - before.refused;
  const share = refused / (refused + made.calls.made - before.made);
  t.true(Math.abs(share - 10 / 11) < 0.01, `${share}`);
});

test('a sick caller alone says overloaded, of every host', (t) => {
  const sick = { kind: 'sick-caller', agents: [3], fromMs: 30_000 } as const;
  const { flags } = flagsAt({ agents: 20, hosts: 10, callsPerSecond: 20, conditions: [sick] }, 50_000);
  t.deepEqual(
    flags.map((each) => each.length),
    Array.from({ length: 20 }, (_, agent) => (agent === 3 ? 10 : 0)),
  );
});

test('silent agents send nothing; the others go on', (t) => {
  const silence = { kind: 'silence', agents: [0, 2], fromMs: 20_000, toMs: 40_000 } as const;
  const sent = sentBy({ agents: 3, hosts: 2, callsPerSecond: 10, conditions: [silence] }, MINUTE_MS);
  const during = sent.filter(({ atMs }) => atMs >= 20_000 && atMs < 40_000);
  t.deepEqual([...new Set(during.map(({ agent }) => agent))], [1]);
  const after = sent.filter(({ atMs }) => atMs >= 40_000);
  t.deepEqual([...new Set(after.map(({ agent }) => agent))].sort(), [0, 1, 2]);
});

test('agents that share a caller report the same keys, each its own counters', (t) => {
  const shared = { kind: 'shared-caller', agents: [0, 1] } as const;
  const sent = sentBy({ agents: 3, hosts: 2, callsPerSecond: 10, conditions: [shared] }, MINUTE_MS);
  const callers = new Map(sent.map(({ agent, report }) => [agent, formatIpv4(report.caller)]));
  t.deepEqual([callers.get(0), callers.get(1), callers.get(2)], ['127.0.1.1', '127.0.1.1', '10.0.0.3']);
  const other = { ...shared, caller: parseIpv4('192.168.0.1')! };
  const named = sentBy({ agents: 3, hosts: 2, callsPerSecond: 10, conditions: [other] }, MINUTE_MS);
  t.true(named.every(({ agent, report }) => (report.caller === other.caller) === agent < 2));
});

test('ts is the clock of the agent, in whole seconds; a clock that is set back makes a window longer', (t) => {
  const skew = { kind: 'clock-skew', agents: [1], skewMs: -90_000, fromMs: 30_000 } as const;
  const made = new World({ agents: 2, hosts: 1, callsPerSecond: 5, conditions: [skew] });
  let most = 0;
  for (const { atMs, agent, report } of made.reportsUntil(100_000)) {
    const skewMs = agent === 1 && atMs >= 30_000 ? -90_000 : 0;
    t.is(report.ts, Math.floor((START_MS + atMs + skewMs) / 1000));
    if (agent === 1) most = Math.max(most, report.results[0]!.succ);
  }
  t.true(most > 300, `${most} calls in a window, where 15 s have 75`);
});

test('a flapping host is overloaded in its sick turns, and not at the end of its well ones', (t) => {
  const flap = { kind: 'flap', hosts: [0], onMs: 60_000, offMs: 60_000, fromMs: 60_000 } as const;
  const options = { agents: 10, hosts: 3, callsPerSecond: 60, conditions: [flap] };
  const at = (untilMs: number) => flagsAt(options, untilMs).flags.flat().length;
  t.deepEqual([at(59_000), at(175_000), at(295_000)], [0, 0, 0]);
  t.true(at(75_000) >= 5 && at(195_000) >= 5);
});

test('a withdrawn host is gone from every report, and new when it is back', (t) => {
  const away = { kind: 'withdraw', hosts: [1], fromMs: 20_000, toMs: 40_000 } as const;
  const sick = { kind: 'sick-host', hosts: [1], toMs: 20_000 } as const;
  const options = { agents: 2, hosts: 3, callsPerSecond: 10, conditions: [away, sick] };
  const { flags } = flagsAt(options, 10_000);
  t.true(flags.flat().length > 0);
  const counts = sentBy(options, MINUTE_MS).map(({ atMs, report }) => [atMs, report.results.length] as const);
  t.true(counts.every(([atMs, count]) => count === (atMs >= 20_000 && atMs < 40_000 ? 2 : 3)));
  t.deepEqual(flagsAt(options, MINUTE_MS).flags.flat(), []);
});

test('what makes no world is refused', (t) => {
  const options = { agents: 1, hosts: 1, callsPerSecond: 1 };
  for (const wrong of [
    { agents: 0 },
    { hosts: 0 },
    { services: 0 },
    { callsPerSecond: 0 },
    { callsPerSecond: Number.NaN },
  ]) {
    t.throws(() => new World({ ...options, ...wrong }), { instanceOf: RangeError, message: /^a world has/ });
  }
  const sick = { kind: 'sick-host', hosts: [0], share: 1.5 } as const;
  t.throws(() => new World({ ...options, conditions: [sick] }), {
    message: 'a share of calls is 0 to 1, not 1.5',
  });
  t.throws(() => new World({ ...options, errorShare: -1 }), {
    message: 'a share of calls is 0 to 1, not -1',
  });
});
