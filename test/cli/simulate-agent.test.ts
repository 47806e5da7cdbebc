import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { WorldTraffic } from '../../src/cli/simulate/world-traffic.js';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import type { Row } from '../../src/model/row.js';
import { until } from '../../src/testing/until.js';
import { CliProcess, runCli, startServe } from '../../tools/shared/process.js';
import { reportsIn } from '../support/reports.js';
import { tempDir } from '../support/temp.js';
import { ENV, type Summary, serve, simulate } from './simulating.js';

const AGENT = '--behaviour agent --agents 4 --services 2 --hosts 3 --rate 400 --duration 1';

/** Addresses as simulations give them to the hosts of the first service. */
const host = (number: number) => formatIpv4(parseIpv4('10.128.0.0')! + number);

// One after the other: each runs a process or two, and a machine has few cores for all test files together.
test.serial(
  'each call is followed by a report with every host, where one has counted one call more',
  async (t) => {
    const { summary, connections } = await simulate(t, `${AGENT} --errors 0.2`);
    const reports = connections().flat();
    t.is(summary.reports, reports.length);
    t.is(summary.rows, reports.length * 3);
    t.is(summary.calls?.made, reports.length);
    t.true(summary.calls!.failed > 20);
    t.is(summary.distinctKeys, 24);
    for (const sent of connections()) {
      t.is(new Set(sent.map(({ caller }) => caller)).size, 1);
      const last = new Map<string, number>();
      for (const { modid, cmdid, results } of sent) {
        let changes = 0;
        for (const { ip, succ, err, overload } of results) {
          const key = `${modid}/${cmdid} ${ip}`;
          const before = last.get(key) ?? 0;
          t.true(overload || succ + err === before || succ + err === before + 1 || succ + err === 0);
          if (succ + err !== before) changes++;
          last.set(key, succ + err);
        }
        t.true(changes <= 1);
      }
    }
  },
);

test.serial('what is wrong shows in the reports', async (t) => {
  const args =
    '--sick-host 1,service=1 --silence 2,from=0.5s --withdraw 3,from=500ms --shared-caller 3-4@192.168.0.9 ' +
    '--clock-skew 1@-1h --errors 0';
  const { connections, summary } = await simulate(t, `${AGENT} ${args}`);
  const now = Date.now() / 1000;
  const byCaller = new Map(connections().map((sent) => [formatIpv4(sent[0]!.caller), sent]));
  t.deepEqual([...byCaller.keys()].sort(), ['10.0.0.1', '10.0.0.2', '192.168.0.9']);
  const all = connections().flat();
  const flagged = all.flatMap(({ cmdid, results }) =>
    results.filter(({ overload }) => overload).map(({ ip }) => `${cmdid} ${formatIpv4(ip)}`),
  );
  t.deepEqual([...new Set(flagged)], [`1 ${host(0)}`]);
  t.true(byCaller.get('10.0.0.2')!.length < 0.8 * byCaller.get('10.0.0.1')!.length);
  for (const sent of connections()) {
    const sizes = sent.map(({ results }) => results.length);
    t.deepEqual(
      sizes.toSorted((a, b) => b - a),
      sizes,
      'withdrawn hosts do not come back',
    );
  }
  t.deepEqual([...new Set(all.map(({ results }) => results.length))], [3, 2]);
  t.true(byCaller.get('10.0.0.1')!.every(({ ts }) => Math.abs(now - 3600 - ts) < 60));
  t.true(byCaller.get('10.0.0.2')!.every(({ ts }) => Math.abs(now - ts) < 60));
  t.is(summary.distinctKeys, 18, 'two agents have the same keys');
});

test.serial(
  '--verify knows the last report of each key, also of shared callers and withdrawn hosts',
  async (t) => {
    const { cwd, args } = await serve(t);
    const wrong = '--outage all@0.5 --withdraw 2,from=500ms --shared-caller 1-2 --flap 1,on=200ms,off=200ms';
    for (const more of [
      '',
      ' --reconnect-every 1 --first-caller 10.1.0.1 --modid-base 2',
      ' --rules elb --modid-base 3',
    ]) {
      const { code, stdout, stderr } = await runCli(args(`${AGENT} ${wrong}${more}`), { cwd });
      t.notRegex(stderr, /error|warning/);
      t.is(code, 0, stdout);
      t.regex(stdout, /^\d+ calls, \d+ failed, \d+ refused$/m);
      t.regex(stdout, /^verified: \d+ matching, 0 missing, 0 stale, 0 wrong /m);
    }
  },
);

test.serial(
  'a reporter that is killed and comes back has all in the end, as far as it can be known',
  async (t) => {
    const { cwd, cli, port, args } = await serve(t);
    const simulation = new CliProcess(
      args('--behaviour agent --agents 5 --services 2 --hosts 3 --rate 500 --duration 0 --json'),
      { cwd },
    );
    t.teardown(async () => void (await simulation.stop('SIGKILL')));
    await until(() => simulation.stderr.includes('connected'), {
      boundMs: 30_000,
      what: 'a line of progress',
    });
    await cli.stop('SIGKILL');
    const next = await startServe([], { cwd, env: { ...ENV, LARS_LISTEN_PORT: String(port) } });
    t.teardown(async () => void (await next.cli.stop('SIGKILL')));
    const lines = simulation.stderr.length;
    await until(() => /[1-9]\d* reconnects/.test(simulation.stderr.slice(lines)), {
      boundMs: 30_000,
      what: 'agents reconnect',
    });
    const { code, stdout, stderr } = await simulation.stop('SIGINT');
    t.notRegex(stderr, /error|warning/);
    t.is(code, 0);
    t.like(JSON.parse(stdout) as Summary, { distinctKeys: 30, verify: { equal: true, matching: 30 } });
  },
);

const sickHost = (value: string, says: string): [string, string] => [
  `--sick-host ${value}`,
  `option '--sick-host <hosts[@share]>' argument '${value}' is invalid. ${says}`,
];

const WRONG: readonly (readonly [args: string, says: string])[] = [
  sickHost('0', "'0' names no hosts: write a number from 1, such as 3, or 1-2, or all."),
  sickHost('3-1', "'3-1' names no hosts: write a number from 1, such as 3, or 1-2, or all."),
  sickHost('3@2', "'2' is no share of calls: write 0 to 1, such as @0.5 for half of them."),
  sickHost('3@0.5@1', "There is more than one @ in '3@0.5@1': write WHO@AMOUNT."),
  sickHost('3,form=30s', "'form=30s' means nothing here: it takes from=, to=, service=."),
  sickHost('3,from', "'from' means nothing here: it takes from=, to=, service=."),
  sickHost('3,from=1s,from=2s', "'from=2s' is there twice: it takes from=, to=, service=."),
  sickHost('3,from=5x', "'5x' of from is no time up to 30 days: write 90s, 5m, 1h or 500ms."),
  sickHost('3,from=5m,to=30s', 'to=30s is not after from=5m: let it end after it began.'),
  sickHost('3,service=x', "'x' names no services: write a number from 1, such as 3, or 1-2, or all."),
  ['--sick-host 11', '--sick-host 11 names number 11 of 10 hosts: name 1 to 10, or raise --hosts'],
  ['--silence 1-101', '--silence 1-101 names number 101 of 100 agents: name 1 to 100, or raise --agents'],
  [
    '--withdraw 1,service=11',
    '--withdraw 1,service=11 names number 11 of 10 services: name 1 to 10, or raise --services',
  ],
  ['--silence 3@1', "option '--silence <agents>' argument '3@1' is invalid. It takes no @1: write 3 alone."],
  [
    '--shared-caller 1-2@foo',
    "option '--shared-caller <agents[@ip]>' argument '1-2@foo' is invalid. " +
      "'foo' is no IPv4 address: write one such as @127.0.1.1.",
  ],
  [
    '--shared-caller 1-2,from=3s',
    "option '--shared-caller <agents[@ip]>' argument '1-2,from=3s' is invalid. " +
      "'from=3s' means nothing here: it takes nothing after a comma.",
  ],
  [
    '--clock-skew 3',
    "option '--clock-skew <agents@time>' argument '3' is invalid. It needs @time: write 3@5m, or 3@-30s.",
  ],
  [
    '--flap 1,on=0s',
    "option '--flap <hosts[@share]>' argument '1,on=0s' is invalid. " +
      'on=0s is no time at all: write a longer one, such as on=60s.',
  ],
  [
    '--errors 2',
    "option '--errors <share>' argument '2' is invalid. Expected a number from 0 to 1, such as 0.01.",
  ],
  [
    '--rules lras',
    "option '--rules <name>' argument 'lras' is invalid. Allowed choices are lars, lars-defaults, elb.",
  ],
  [
    '--rate 0',
    '--rate 0 is for --behaviour load: give the calls a second of all agents together, such as --rate 1000',
  ],
  [
    '--window 3',
    '--window 3 is for --behaviour load: leave it out, agents have windows of their own (--rules)',
  ],
  [
    '--agents 1000 --services 1000 --hosts 2',
    '--agents, --services and --hosts make 2000000 keys: lower one of them, ' +
      'at most 1000000 fit with --behaviour agent',
  ],
  [
    '--sick-host 3 --behaviour load',
    '--sick-host 3 is for agents that behave like real ones: add --behaviour agent',
  ],
  [
    '--errors 0 --behaviour load',
    '--errors 0 is for agents that behave like real ones: add --behaviour agent',
  ],
  [
    '--rules elb --behaviour load',
    '--rules elb is for agents that behave like real ones: add --behaviour agent',
  ],
];

for (const [args, says] of WRONG) {
  test.serial(`wrong usage is one line on stderr and exit code 2: ${args}`, async (t) => {
    const cli = ['simulate', '--to', '127.0.0.1:1', '--behaviour', 'agent', ...args.split(' ')];
    const { code, stdout, stderr } = await runCli(cli, { cwd: tempDir(t) });
    t.is(stderr, `error: ${says}\n`);
    t.is(stdout, '');
    t.is(code, 2);
  });
}

test('what may be in the table is what agents sent last of a key, and nothing else', (t) => {
  const shape = fc.record({
    agents: fc.integer({ min: 1, max: 4 }),
    services: fc.integer({ min: 1, max: 120 }),
    hosts: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
    modidBase: fc.integer({ min: -100, max: 100 }),
    callsPerSecond: fc.constant(1),
    errorShare: fc.constant(0.5),
    conditions: fc.constantFrom(
      [],
      [{ kind: 'shared-caller' as const, agents: [0, 1] }],
      [{ kind: 'withdraw' as const, hosts: [0], fromMs: 3000 }],
    ),
  });
  fc.assert(
    fc.property(shape, (options) => {
      const traffic = new WorldTraffic(options);
      const target = Buffer.alloc(traffic.maxFrameBytes);
      // Of each key: what each agent sent last.
      const last = new Map<string, Map<number, Row>>();
      for (const agent of traffic.due(6000)) {
        const end = traffic.writeNext(agent, target, 0);
        const [report] = reportsIn(target.subarray(0, end));
        t.is(traffic.lastRows, report!.results.length);
        const { modid, cmdid, caller, ts, results } = report!;
        for (const result of results) {
          const row = { modid, cmdid, caller, ts, ...result };
          const key = [modid, cmdid, row.ip, row.port, caller].join();
          last.set(key, (last.get(key) ?? new Map<number, Row>()).set(agent, row));
        }
      }
      t.is(traffic.distinctKeys, last.size);
      t.is(traffic.modids().flatMap((modid) => [...traffic.reportedKeys(modid)]).length, last.size);
      for (const rows of last.values()) {
        const sent = [...rows.values()];
        const index = traffic.indexOf(sent[0]!);
        t.true(traffic.wasReported(index));
        t.true(sent.every((row) => traffic.indexOf(row) === index && traffic.isLast(index, row)));
        t.false(traffic.isLast(index, { ...sent[0]!, succ: sent[0]!.succ + 1000 }));
        t.true(sent.some((row) => isDeepStrictEqual(traffic.lastRow(index), row)));
        t.is(traffic.indexOf({ ...sent[0]!, port: 1 }), -1);
        t.is(traffic.indexOf({ ...sent[0]!, cmdid: 0 }), -1);
      }
    }),
    { numRuns: 40 },
  );
});
