import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { Workload, type WorkloadShape } from '../../src/cli/simulate/workload.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import type { Row } from '../../src/model/row.js';
import { embeddedStore } from '../../src/store/embedded/store.js';
import { until } from '../../src/testing/until.js';
import { CliProcess, runCli, startServe } from '../../tools/shared/process.js';
import { readAll } from '../../tools/shared/tables.js';
import { reportsIn } from '../support/reports.js';
import { batch } from '../support/rows.js';
import { tempDir } from '../support/temp.js';
import { ENV, listen, type Summary, serve, simulate } from './simulating.js';

const CALLER = parseIpv4('10.0.0.1')!;

// One after the other: each runs a process or two, and a machine has few cores for all test files together.
test.serial('--help names the flags and gives an example', async (t) => {
  const { code, stdout } = await runCli(['simulate', '--help']);
  t.is(code, 0);
  for (const flag of [
    'agents',
    'services',
    'hosts',
    'rate',
    'duration',
    'reconnect-every',
    'seed',
    'verify',
  ]) {
    t.regex(stdout, new RegExp(`^ {2}--${flag} `, 'm'));
  }
  t.regex(stdout, /^Example:\n {2}\$ lars-reporter simulate/m);
});

test.serial('agents that come and go leave their last reports in the table', async (t) => {
  const { cwd, args } = await serve(t);
  const { code, stdout, stderr } = await runCli(
    args('--agents 20 --services 5 --hosts 4 --duration 2 --reconnect-every 1'),
    { cwd },
  );
  t.notRegex(stderr, /error|warning/);
  t.is(code, 0);
  const [sent, rates, agents, verified, ...rest] = stdout.trimEnd().split('\n');
  t.regex(sent!, /^sent \d+ reports, \d+ rows, \d+ bytes to 127\.0\.0\.1:\d+ in [\d.]+ s$/);
  t.regex(rates!, /^\d+ reports\/s, \d+ rows\/s, 400 distinct keys$/);
  t.regex(agents!, /^20 agents, \d+ connections, [1-9]\d* reconnects, 0 lost$/);
  t.regex(verified!, /^verified: 400 matching, 0 missing, 0 stale, 0 wrong in embedded:.*, after [\d.]+ s$/);
  t.deepEqual(rest, []);
});

test.serial('flat out, too, with reconnects, the last report of each key is in the table', async (t) => {
  const { cwd, args } = await serve(t);
  const { code, stdout, stderr } = await runCli(
    args('--agents 10 --rate 0 --services 120 --hosts 3 --duration 1 --reconnect-every 1 --json'),
    { cwd },
  );
  t.notRegex(stderr, /error|warning/);
  t.is(code, 0);
  const { rate, verify, distinctKeys, reports, rows } = JSON.parse(stdout) as Summary;
  t.is(rate, 0);
  t.true(reports > 1200, `${reports} reports`);
  t.is(rows, reports * 3);
  t.is(distinctKeys, 3600);
  t.like(verify, { equal: true, matching: 3600, missing: 0, stale: 0, wrong: 0, differences: [] });
  // Of two modids, as a modid has 100 services here.
  const store = embeddedStore({ dir: path.join(cwd, 'data/store') });
  t.teardown(() => store.close());
  t.deepEqual([...new Set((await readAll(store)).map(({ modid }) => modid))], [1, 2]);
});

test.serial('a reporter that is killed and comes back while agents report has all in the end', async (t) => {
  const { cwd, cli, port, args } = await serve(t);
  const simulation = new CliProcess(
    args('--agents 10 --services 5 --hosts 4 --rate 500 --duration 0 --json'),
    {
      cwd,
    },
  );
  t.teardown(async () => void (await simulation.stop('SIGKILL')));
  const store = embeddedStore({ dir: path.join(cwd, 'data/store') });
  t.teardown(() => store.close());
  const newestTs = async () => Math.max(0, ...(await readAll(store)).map(({ ts }) => ts));
  await until(newestTs, { boundMs: 20_000, what: 'rows are stored' });
  await cli.stop('SIGKILL');
  const killedAt = Date.now() / 1000;
  const next = await startServe([], { cwd, env: { ...ENV, LARS_LISTEN_PORT: String(port) } });
  t.teardown(async () => void (await next.cli.stop('SIGKILL')));
  await until(async () => (await newestTs()) > killedAt, { boundMs: 20_000, what: 'rows are stored again' });

  const { code, stdout, stderr } = await simulation.stop('SIGINT');
  t.notRegex(stderr, /error|warning/);
  t.is(code, 0);
  const { lost, reconnects, verify } = JSON.parse(stdout) as Summary;
  t.true(lost >= 10 && reconnects >= 10, stdout);
  t.like(verify, { equal: true, matching: 200 });
});

test.serial('agents that are refused get in when others have left', async (t) => {
  const { cwd, args } = await serve(t, { LARS_LISTEN_MAX_CONNECTIONS: '6' });
  const { code, stdout } = await runCli(args('--agents 10 --services 3 --hosts 2 --duration 1 --json'), {
    cwd,
  });
  t.is(code, 0);
  const { lost, verify } = JSON.parse(stdout) as Summary;
  t.true(lost > 0);
  t.true(verify?.equal);
});

test.serial('--verify says which keys are missing, stale or wrong: exit code 1', async (t) => {
  const { port } = await listen(t);
  const cwd = tempDir(t);
  const row = (host: number, values: Partial<Row>): Row => ({
    modid: 7,
    cmdid: 1,
    ip: parseIpv4('10.128.0.0')! + host,
    port: 8000 + host,
    caller: CALLER,
    succ: 1,
    err: 1,
    ts: 1,
    overload: false,
    ...values,
  });
  const store = embeddedStore({ dir: path.join(cwd, 'data/store') });
  await store.open();
  const writer = store.writer({ partition: 0, partitions: 1, journalId: 'test' });
  await writer.upsert(
    batch([
      row(0, { ts: 1000 }),
      row(1, { ts: 4_000_000_000 }),
      // Others' keys: another agent, another service, a host and a port that no one here has.
      row(0, { caller: CALLER + 1 }),
      row(0, { cmdid: 2 }),
      row(9, {}),
      row(0, { port: 1 }),
    ]),
  );
  await store.close();
  const { code, stdout, stderr } = await runCli(
    [
      ...['simulate', '--to', `127.0.0.1:${port}`, '--modid-base', '7', '--agents', '1', '--services', '1'],
      ...['--hosts', '3', '--duration', '1', '--rate', '5', '--verify', '--verify-wait', '1'],
    ],
    { cwd },
  );
  t.is(code, 1);
  const [, , , different, ...differences] = stdout.trimEnd().split('\n');
  t.regex(different!, /^different: 0 matching, 1 missing, 1 stale, 1 wrong in embedded:/);
  const sent = 'sent succ=\\d+ err=\\d+ ts=\\d+ overload=[01]';
  const holds = (ts: string) => `the table holds succ=1 err=1 ts=${ts} overload=0`;
  const key = (host: number) =>
    `modid=7 cmdid=1 ip=10\\.128\\.0\\.${host} port=800${host} caller=10\\.0\\.0\\.1`;
  t.is(differences.length, 3);
  t.regex(differences[0]!, new RegExp(`^ {2}stale: ${key(0)}: ${sent}, ${holds('1000')}$`));
  t.regex(differences[1]!, new RegExp(`^ {2}wrong: ${key(1)}: ${sent}, ${holds('4000000000')}$`));
  t.regex(differences[2]!, new RegExp(`^ {2}missing: ${key(2)}: ${sent}$`));
  t.regex(
    stderr,
    /^error: embedded:.* does not hold what was sent \(1 missing, 1 stale, 1 wrong after 1 s\); .*\n$/,
  );
});

test.serial(
  'with --json, a table that differs is in the summary, and the first few differences are named',
  async (t) => {
    const { port } = await listen(t);
    const { code, stdout } = await runCli(
      [
        ...[
          'simulate',
          '--to',
          `127.0.0.1:${port}`,
          '--agents',
          '2',
          '--services',
          '2',
          '--hosts',
          '5',
          '--json',
        ],
        ...['--rate', '0', '--duration', '1', '--verify', '--verify-wait', '0'],
      ],
      { cwd: tempDir(t) },
    );
    t.is(code, 1);
    const { verify } = JSON.parse(stdout) as Summary;
    t.like(verify, { equal: false, matching: 0, missing: 20, stale: 0, wrong: 0 });
    t.is(verify?.differences.length, 5);
  },
);

test.serial('the summary counts what arrives', async (t) => {
  const { summary, connections, bytes, port } = await simulate(
    t,
    '--agents 4 --services 3 --hosts 2 --rate 100 --duration 1 --seed 9',
  );
  const { seconds, reportsPerSecond, rowsPerSecond, ...rest } = summary;
  const reports = connections().flat();
  t.deepEqual(rest, {
    to: { host: '127.0.0.1', port },
    agents: 4,
    services: 3,
    hosts: 2,
    seed: 9,
    rate: 100,
    connections: 4,
    reconnects: 0,
    lost: 0,
    reports: reports.length,
    rows: reports.length * 2,
    bytes: bytes(),
    distinctKeys: 24,
  });
  t.is(reports.length, 100, 'the rate, times the duration');
  t.true(seconds >= 0.9, `${seconds} s`);
  t.is(reportsPerSecond, Math.round(100 / seconds));
  t.is(rowsPerSecond, Math.round(200 / seconds));
});

test.serial(
  'each agent has a caller and a connection of its own, and sends every host of a service',
  async (t) => {
    const before = Math.floor(Date.now() / 1000);
    const { connections } = await simulate(
      t,
      '--agents 5 --services 3 --hosts 4 --rate 300 --duration 2 --window 1',
    );
    const after = Math.floor(Date.now() / 1000);
    const callers = connections().map((reports) => [...new Set(reports.map(({ caller }) => caller))]);
    t.deepEqual(
      callers.map((each) => each.length),
      [1, 1, 1, 1, 1],
    );
    t.deepEqual(
      callers.flat().sort((a, b) => a - b),
      [0, 1, 2, 3, 4].map((agent) => CALLER + agent),
    );
    let resets = 0;
    for (const reports of connections()) {
      const last = new Map<string, { succ: number; err: number }>();
      for (const { modid, cmdid, ts, results } of reports) {
        t.is(modid, 1);
        t.true(cmdid >= 1 && cmdid <= 3);
        t.true(ts >= before && ts <= after);
        t.is(new Set(results.map(({ ip }) => ip)).size, 4);
        let grown = 0;
        for (const { ip, succ, err, overload } of results) {
          t.is(overload, err > succ);
          const key = `${cmdid} ${ip}`;
          const previous = last.get(key) ?? { succ: 0, err: 0 };
          if (succ >= previous.succ && err >= previous.err) grown++;
          last.set(key, { succ, err });
        }
        if (grown === 0) resets++;
      }
    }
    t.true(resets >= 5, `counters began anew ${resets} times`);
  },
);

test.serial('the same seed sends the same counters in the same order, another seed does not', async (t) => {
  const sequences = async (seed: number): Promise<Map<number, string[]>> => {
    const args = `--agents 3 --services 4 --hosts 3 --rate 300 --duration 1 --window 1 --seed ${seed}`;
    const { connections } = await simulate(t, args);
    return new Map(
      connections().map((reports) => [
        reports[0]!.caller,
        reports.map((report) => JSON.stringify({ ...report, ts: 0 })),
      ]),
    );
  };
  const [first, second, other] = [await sequences(3), await sequences(3), await sequences(4)];
  for (const [caller, reports] of first) {
    t.is(reports.length, 100);
    t.deepEqual(second.get(caller), reports);
    t.notDeepEqual(other.get(caller), reports);
  }
});

test.serial('a deliberate reconnect sends every service again', async (t) => {
  const { summary, connections } = await simulate(
    t,
    '--agents 2 --services 6 --hosts 1 --rate 50 --duration 3 --reconnect-every 1',
  );
  t.true(summary.reconnects > 0);
  t.is(connections().length, summary.connections);
  t.is(summary.connections, 2 + summary.reconnects);
  t.is(summary.lost, 0);
  const seen = new Set<number>();
  for (const reports of connections()) {
    const caller = reports[0]?.caller;
    if (caller === undefined) continue;
    if (seen.has(caller)) t.is(new Set(reports.slice(0, 6).map(({ cmdid }) => cmdid)).size, 6);
    seen.add(caller);
  }
  t.is(seen.size, 2);
});

test.serial('thousands of agents connect without one being lost', async (t) => {
  const { summary, connections } = await simulate(t, '--agents 2000 --services 1 --hosts 1 --duration 1');
  t.like(summary, { connections: 2000, lost: 0, distinctKeys: 2000 });
  t.is(connections().length, 2000);
});

test.serial(
  'without --duration it goes on, saying how far it is, until SIGINT; then it says what was sent',
  async (t) => {
    const { port, connections } = await listen(t);
    const args = ['simulate', '--to', `127.0.0.1:${port}`, '--agents', '3', '--duration', '0', '--json'];
    const simulation = new CliProcess(args, { cwd: tempDir(t) });
    t.teardown(async () => void (await simulation.stop('SIGKILL')));
    await until(() => simulation.stderr.includes('\n'), { boundMs: 30_000, what: 'a line of progress' });
    const { code, stdout, stderr } = await simulation.stop('SIGINT');
    t.is(code, 0);
    t.regex(stderr, /^\d+ s: 3\/3 agents connected, \d+ reports, \d+ rows, \d+ rows\/s, 0 reconnects\n/);
    t.is((JSON.parse(stdout) as Summary).reports, connections().flat().length);
  },
);

test.serial(
  'a reporter that cannot be reached is a failure: exit code 1, one line that names it',
  async (t) => {
    const { code, stdout, stderr } = await runCli(['simulate', '--to', '127.0.0.1:1'], { cwd: tempDir(t) });
    t.is(stderr, 'error: cannot connect to 127.0.0.1:1: ECONNREFUSED\n');
    t.is(stdout, '');
    t.is(code, 1);
  },
);

test.serial('a store that can never be read is known before anything is sent', async (t) => {
  const { port, connections } = await listen(t);
  const { code, stdout } = await runCli(['simulate', '--to', `127.0.0.1:${port}`, '--verify'], {
    cwd: tempDir(t),
    env: { LARS_STORE_URL: 'embedded:/dev/null/store' },
  });
  t.is(code, 2);
  t.is(stdout, '');
  t.deepEqual(connections(), []);
});

const integer = (flag: string, value: string, from: number, to: number): [string[], string] => [
  [flag.split(' ')[0]!, value],
  `error: option '${flag}' argument '${value}' is invalid. Expected an integer from ${from} to ${to}.`,
];

const WRONG: readonly (readonly [args: readonly string[], says: string])[] = [
  integer('--agents <n>', '0', 1, 60_000),
  integer('--services <n>', 'x', 1, 1_000_000),
  integer('--hosts <n>', '1701', 1, 1700),
  integer('--rate <n>', '-1', 0, 10_000_000),
  integer('--duration <s>', '1.5', 0, 2_592_000),
  integer('--window <s>', '0', 1, 86_400),
  integer('--reconnect-every <s>', '1e3', 0, 86_400),
  integer('--seed <n>', '-1', 0, 2_147_483_647),
  integer('--modid-base <n>', '2147483648', -2_147_483_648, 2_147_483_647),
  integer('--verify-wait <s>', '', 0, 86_400),
  [
    ['--to', 'localhost'],
    "error: option '--to <host:port>' argument 'localhost' is invalid. " +
      'Expected HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:7779.',
  ],
  [
    ['--first-caller', '10.0.0'],
    "error: option '--first-caller <ip>' argument '10.0.0' is invalid. Expected an IPv4 address such as 10.0.0.9.",
  ],
  [
    ['--agents', '1000', '--services', '1000', '--hosts', '100'],
    'error: --agents 1000 with --services 1000 and --hosts 100 are 100000000 keys: ' +
      'lower one of them, at most 20000000 keys fit',
  ],
  [
    ['--modid-base', '2147483647', '--services', '101'],
    'error: --modid-base 2147483647 with --services 101 ends at modid 2147483648: ' +
      'lower one of them, the largest modid is 2147483647',
  ],
  [
    ['--first-caller', '255.255.255.255', '--agents', '2'],
    'error: --first-caller 255.255.255.255 with --agents 2 ends after 255.255.255.255: lower one of them',
  ],
];

for (const [args, says] of WRONG) {
  test.serial(`wrong usage is one line on stderr and exit code 2: ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runCli(['simulate', ...args], { cwd: tempDir(t) });
    t.is(stderr, `${says}\n`);
    t.is(stdout, '');
    t.is(code, 2);
  });
}

test.serial('without a port to send to, simulate asks for one', async (t) => {
  const { code, stderr } = await runCli(['simulate'], { cwd: tempDir(t), env: { LARS_LISTEN_PORT: '0' } });
  t.regex(stderr, /^error: listen\.port is 0, .* --to HOST:PORT\n$/);
  t.is(code, 2);
});

test('every key that is written is found again, and no other', (t) => {
  const shape: fc.Arbitrary<WorkloadShape> = fc.record({
    agents: fc.integer({ min: 1, max: 5 }),
    services: fc.integer({ min: 1, max: 250 }),
    hosts: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(),
    modidBase: fc.integer({ min: -100, max: 100 }),
    firstCaller: fc.constantFrom(CALLER, parseIpv4('127.255.255.254')!, parseIpv4('192.168.0.1')!),
    windowReports: fc.constantFrom(undefined, 0.5, 7),
    windowMs: fc.constant(1000),
  });
  fc.assert(
    fc.property(shape, fc.nat(40), (chosen, reports) => {
      const workload = new Workload(chosen);
      const target = Buffer.alloc(workload.maxFrameBytes);
      const last = new Map<number, Row>();
      for (let count = 0; count < reports; count++) {
        const agent = count % chosen.agents;
        const end = workload.writeNext(agent, target, 0, 1000 + count, count * 100);
        const [report] = reportsIn(target.subarray(0, end));
        t.is(report!.results.length, chosen.hosts);
        const { modid, cmdid, caller, ts, results } = report!;
        for (const result of results) {
          const row = { modid, cmdid, caller, ts, ...result };
          const index = workload.indexOf(row);
          t.true(index >= 0 && index < workload.keys);
          t.is(workload.indexOf({ ...row, port: row.port - 1000 }), -1);
          t.is(workload.indexOf({ ...row, ip: row.ip ^ 0x40000000 }), -1);
          t.is(workload.indexOf({ ...row, caller: caller - chosen.agents }), -1);
          t.is(workload.indexOf({ ...row, cmdid: cmdid + 100 }), -1);
          last.set(index, row);
        }
      }
      t.is(workload.distinctKeys, last.size);
      for (const [index, row] of last) {
        t.deepEqual(workload.lastRow(index), row);
        t.true(workload.isLast(index, row));
        t.false(workload.isLast(index, { ...row, succ: row.succ + 1 }));
        t.false(workload.isLast(index, { ...row, overload: !row.overload }));
      }
      const reported = workload.modids().flatMap((modid) => [...workload.reportedKeys(modid)]);
      t.deepEqual(
        reported.sort((a, b) => a - b),
        [...last.keys()].sort((a, b) => a - b),
      );
    }),
  );
});
