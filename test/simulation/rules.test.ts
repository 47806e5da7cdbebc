import test from 'ava';
import {
  type AgentRules,
  Balancer,
  ELB,
  HostState,
  LARS,
  LARS_DEFAULTS,
} from '../../src/simulation/index.js';

const HOST = { ip: 0x0a000001, port: 80 };
const START_S = 1_800_000_000;

/** A host whose first window has just begun. */
function host(rules: AgentRules = LARS): HostState {
  const state = new HostState(HOST, rules, START_S);
  if (rules.isFirstCallWindowEnd) state.count(true, START_S);
  return state;
}

/** Counts results, one a letter (s: success, e: error), `everyS` seconds apart. Returns how it ends. */
function count(state: HostState, results: string, atS = START_S, everyS = 0): string {
  for (const [index, result] of [...results].entries()) state.count(result === 's', atS + index * everyS);
  return said(state);
}

/** As reported: succ/err, and ! when overloaded. */
function said({ succ, err, overload }: HostState): string {
  return `${succ}/${err}${overload ? '!' : ''}`;
}

test('the first call to a new host ends a window: a success is wiped, an error makes it overloaded', (t) => {
  t.is(count(new HostState(HOST, LARS, START_S), 's'), '0/0');
  t.is(count(new HostState(HOST, LARS, START_S), 'e'), '0/0!');
  t.is(count(new HostState(HOST, ELB, START_S), 'e'), '0/1');
});

test('fifteen errors in a row make a host overloaded, ten with what the code falls back to', (t) => {
  t.is(count(host(), 'e'.repeat(14)), '0/14');
  t.is(count(host(), 'e'.repeat(15)), '0/0!');
  t.is(count(host(), `${'e'.repeat(14)}s${'e'.repeat(4)}`), '1/18');
  t.is(count(host(LARS_DEFAULTS), 'e'.repeat(9)), '0/9');
  t.is(count(host(LARS_DEFAULTS), 'e'.repeat(10)), '0/0!');
});

test('more than a tenth of errors makes a host overloaded, where 180 successes are added to the window', (t) => {
  // As in the capture of a real agent: 24 of 180 + 34 + 24.
  const results = `${'s'.repeat(11)}${'se'.repeat(23)}`;
  t.is(count(host(), results), '34/23');
  t.is(count(host(), `${results}e`), '0/0!');
  t.is(count(host(), `${results}sse`), '36/24', '24 of 240 are not more than a tenth');
});

test('a window ends at the first call after 15 s, which is wiped with it', (t) => {
  const state = host();
  t.is(count(state, 'sssse', START_S, 3), '4/1');
  t.is(count(state, 's', START_S + 14), '5/1');
  t.is(count(state, 's', START_S + 15), '0/0');
  t.is(count(state, 'e', START_S + 16), '0/1');
});

test('a window of which 70 % failed makes a host overloaded when it ends; with ELB, two in a row do', (t) => {
  const bad = 'ssseeeeee';
  t.is(count(host(), `${bad}`), '3/6');
  const state = host();
  count(state, bad);
  t.is(count(state, 'e', START_S + 15), '0/0!', '7 of 10');
  const better = host();
  count(better, bad);
  t.is(count(better, 's', START_S + 15), '0/0', '6 of 10');

  const elb = host(ELB);
  t.is(count(elb, 'ee', START_S, 15), '0/0');
  t.is(count(elb, 's', START_S + 30), '0/0', 'a good one between them');
  t.is(count(elb, 'e', START_S + 45), '0/0');
  t.is(count(elb, 'e', START_S + 60), '0/0!');
});

/** A host that has just become overloaded. */
function overloaded(rules: AgentRules = LARS): HostState {
  const state = host(rules);
  while (!state.overload) count(state, 'e');
  return state;
}

test('six successes take an overloaded host back; where errors are among them, as many more as outweigh them', (t) => {
  t.is(count(overloaded(), 'sssss'), '5/0!');
  t.is(count(overloaded(), 'ssssss'), '0/0');
  t.is(count(overloaded(), 'essssss'), '6/1!');
  t.is(count(overloaded(), 'esssssss'), '0/0');
  t.is(count(overloaded(LARS_DEFAULTS), 's'.repeat(9)), '9/0!');
  t.is(count(overloaded(LARS_DEFAULTS), 's'.repeat(10)), '0/0');
  t.is(count(overloaded(ELB), 's'.repeat(14)), '14/0!');
  t.is(count(overloaded(ELB), 's'.repeat(15)), '0/0');
});

test('15 s later the next call takes it back, whatever comes of it; with ELB 180 s later', (t) => {
  const state = overloaded();
  t.is(count(state, 'e', START_S + 14), '0/1!');
  t.is(count(state, 'e', START_S + 15), '0/0');
  t.is(count(overloaded(), 'e', START_S + 3600), '0/0', 'without a call it stays as it is');
  const elb = overloaded(ELB);
  t.is(count(elb, 'e', START_S + 179), '0/1!');
  t.is(count(elb, 'e', START_S + 180), '0/0');
});

/** A service whose hosts have their first call behind them; `sick` ones are overloaded. */
function service(hosts: number, sick: readonly number[], rules: AgentRules = LARS): Balancer {
  const balancer = new Balancer(rules);
  const route = Array.from({ length: hosts }, (_, number) => ({ ip: number, port: 80 }));
  balancer.setRoute(route, START_S);
  for (let call = 0; call < hosts; call++) {
    const chosen = balancer.choose()!;
    balancer.count(chosen, !sick.includes(chosen.ip), START_S);
  }
  return balancer;
}

/** The hosts of so many calls; - where one was refused. */
function chosen(balancer: Balancer, calls: number): string {
  return Array.from({ length: calls }, () => balancer.choose()?.ip ?? '-').join('');
}

test('calls go to idle hosts in turn, and every eleventh to an overloaded one', (t) => {
  t.is(chosen(service(3, []), 9), '012012012');
  t.is(chosen(service(1, []), 3), '000');
  t.is(chosen(service(3, [2]), 24), '010101010120101010101201');
});

test('where every host is overloaded, ten of eleven calls are refused', (t) => {
  t.is(chosen(service(2, [0, 1]), 24), '---------0----------1---');
  const calls = chosen(service(3, [0, 1, 2]), 1100);
  t.is([...calls].filter((each) => each === '-').length, 1000);
});

test('a report has every host of the route, idle ones first, and no other', (t) => {
  const balancer = service(4, [1]);
  const ips = () => balancer.report({ modid: 1, cmdid: 2 }, 3, START_S).results.map(({ ip }) => ip);
  t.deepEqual(ips(), [0, 2, 3, 1]);
  balancer.setRoute(
    [1, 2, 3, 7].map((ip) => ({ ip, port: 80 })),
    START_S,
  );
  t.deepEqual(ips(), [2, 3, 7, 1]);
  t.is(balancer.hosts, 4);
  t.deepEqual(balancer.report({ modid: 1, cmdid: 2 }, 3, START_S), {
    modid: 1,
    cmdid: 2,
    caller: 3,
    ts: START_S,
    results: [
      { ip: 2, port: 80, succ: 0, err: 0, overload: false },
      { ip: 3, port: 80, succ: 0, err: 0, overload: false },
      { ip: 7, port: 80, succ: 0, err: 0, overload: false },
      { ip: 1, port: 80, succ: 0, err: 0, overload: true },
    ],
  });
});

test('a host that leaves the route and comes back is new', (t) => {
  const balancer = service(2, [1]);
  balancer.setRoute([{ ip: 0, port: 80 }], START_S);
  balancer.setRoute(
    [
      { ip: 0, port: 80 },
      { ip: 1, port: 80 },
    ],
    START_S,
  );
  t.is(chosen(balancer, 4), '0101');
});

test('a report follows each result; with ELB only 15 s after the one before, and none without hosts', (t) => {
  const lars = service(1, []);
  lars.report({ modid: 1, cmdid: 1 }, 1, START_S);
  t.true(lars.isReportDue(START_S));
  t.true(lars.isReportDue(START_S - 3600), 'also when the clock was set back');
  const elb = service(1, [], ELB);
  t.true(elb.isReportDue(START_S));
  elb.report({ modid: 1, cmdid: 1 }, 1, START_S);
  t.false(elb.isReportDue(START_S + 14));
  t.true(elb.isReportDue(START_S + 15));
  t.false(new Balancer(LARS).isReportDue(START_S));
});
