import test from 'ava';
import type { ReporterAnswer } from '../../../src/admin/reporter-routes.js';
import type { Suspects } from '../../../src/cli/status/asking.js';
import { checkLine, unknownLine } from '../../../src/cli/status/check-line.js';
import { servicesPage } from '../../../src/cli/status/services-page.js';
import { type Column, layOut } from '../../../src/cli/status/table-layout.js';
import { cut, joined, type Medium, mediumOf, widthOf } from '../../../src/cli/status/terminal-style.js';
import type { Level, ServicesAnswer, Summary, Voice } from '../../../src/view/shapes.js';
import { viewCounts, viewStatusOf } from '../../admin/fake-view.js';
import { reporterStatus } from '../../admin/statuses.js';

const PIPE: Medium = { width: Number.POSITIVE_INFINITY, colours: false, shapes: false, unicode: true };
const NOW = '2026-11-27T03:12:07Z';

function reporterOf(given: Partial<ReporterAnswer> = {}): ReporterAnswer {
  const { state: _, ...status } = reporterStatus();
  const callers = { reporting: 210, connected: 2, gone: 1, table: 0 };
  return {
    ...status,
    ...{ asOf: NOW, version: '1.2.3', state: 'ok', problems: [], uptimeS: 5, loopLagP99Ms: 1 },
    rates: { rowsIn: 1, rowsStored: 2 },
    flush: { p50Ms: null, p99Ms: null, rowsP50: null },
    agents: { connections: 212, voices: 213, gone: 1, lostAtStart: 0 },
    view: viewStatusOf({ counts: viewCounts({ callers }) }),
    ...given,
  };
}

function summaryOf(level: Level, given: Partial<Summary> = {}): Summary {
  return {
    ...{ modid: 4242, cmdid: 17, name: 'feed', level, trouble: 3.5, state: 'live', flapping: false },
    since: '2026-11-27T02:11:40Z',
    reasons: [{ code: 'hosts-overloaded', text: '1 of 2 hosts overloaded, 17 of 20 callers agree' }],
    hosts: { total: 2, overloaded: 1, disputed: 0, failing: 0, noted: 0, withdrawn: 0, stale: 0 },
    callers: { fresh: 20, affected: 17, blackedOut: 0, silent: 1 },
    calls: { perSecond: 182.4, errorsPerSecond: 11.2, errorShare: 0.061, windowS: 60 },
    ...{ lastHeard: NOW, spark: [] },
    ...given,
  };
}

function servicesOf(services: readonly Summary[], given: Partial<ServicesAnswer> = {}): ServicesAnswer {
  return {
    ...{ asOf: NOW, tick: 9, node: null, snapshot: '9', total: services.length, services },
    counts: { ok: 214, noted: 3, failing: 1, overloaded: 1, outage: 0 },
    ...given,
  };
}

const NOBODY: Suspects = { hosts: [], callers: [] };
const ASKED = { kind: 'services', min: 'failing', limit: 20, hidden: false } as const;

const linesOf = (services: ServicesAnswer, medium = PIPE, suspects = NOBODY, reporter = reporterOf()) =>
  servicesPage(reporter, { kind: 'services', services, suspects, subject: ASKED }, medium).lines;

const FAILING = summaryOf('failing', {
  ...{ modid: 310, cmdid: 2, name: null, since: null },
  reasons: [{ code: 'errors', text: 'errors 14.0 % (1 min)' }],
  hosts: { total: 10, overloaded: 0, disputed: 0, failing: 0, noted: 0, withdrawn: 0, stale: 0 },
  callers: { fresh: 44, affected: 0, blackedOut: 0, silent: 0 },
  calls: { perSecond: 31, errorsPerSecond: 4.3, errorShare: null, windowS: null },
});

test('in a pipe the list has no colours and no shapes, and every line is whole', (t) => {
  const [header, head, first, second, ...more] = linesOf(servicesOf([summaryOf('overloaded'), FAILING]));
  t.regex(
    header!,
    /^reporter ok · 212 agents · live as of \d\d:12:07 · 1 overloaded, 1 failing, 3 noted, 214 ok$/,
  );
  t.regex(head!, /^level +service +hosts +callers +errors +calls\/s +since +why$/);
  t.regex(
    first!,
    /^overloaded {2}4242\/17 feed +1\/2 +17\/20 +6\.1 % +182\.4 {2}\d\d:11 \(1h\) {2}1 of 2 hosts overloaded, 17 of 20 callers agree$/,
  );
  t.regex(second!, /^failing +310\/2 +0\/10 +0\/44 +– +31\.0 +– +errors 14\.0 % \(1 min\)$/);
  t.deepEqual(more, []);
});

test('no line is wider than the terminal; columns leave before the reason is cut', (t) => {
  const services = servicesOf([summaryOf('outage', { name: '直播列表直播列表' }), FAILING]);
  const reporter = reporterOf({
    state: 'unwell',
    problems: [
      {
        ...{ code: 'store-away', severity: 'warning', since: NOW, means: '', doc: '' },
        text: 'mysql://a-very-long-name-of-a-database-server.example/lars is away for 4 of 4 writers',
      },
    ],
  });
  const suspects: Suspects = {
    hosts: [
      {
        ...{ ip: '10.2.0.7', services: 11, overloaded: 9, disputed: 0, failing: 0, noted: 0 },
        ...{ suspect: true, lastHeard: NOW },
      },
    ],
    callers: [],
  };
  for (const colours of [false, true])
    for (let width = 60; width <= 140; width++) {
      const lines = linesOf(services, { width, colours, shapes: true, unicode: true }, suspects, reporter);
      const widest = Math.max(...lines.map((line) => widthOf(line.replaceAll(/\p{Cc}\[[\d;]*m/gu, ''))));
      t.true(widest <= width, `${widest} > ${width}`);
      t.true(
        lines.some((line) => line.includes('1 of 2 hosts overloaded')),
        `${width}`,
      );
      const isWhole = lines.some((line) => line.includes('17 of 20 callers agree'));
      t.true(isWhole || width < 140, `${width}`);
      const isReduced = !lines.some((line) => line.includes('182.4'));
      t.true(isWhole || isReduced, `calls leave before the reason is cut: ${width}`);
    }
});

test('what is wrong with the reporter, and who is behind many complaints, stands above the list', (t) => {
  const reporter = reporterOf({
    state: 'unwell',
    problems: [
      { ...{ code: 'behind', severity: 'warning', since: NOW, means: '', doc: '' }, text: 'late' },
      { ...{ code: 'agents-gone', severity: 'notice', since: NOW, means: '', doc: '' }, text: 'gone' },
    ],
  });
  const voice: Voice = {
    ...{ caller: '10.9.0.3', via: null, heard: NOW, lastPeer: null, skewS: 0 },
    state: 'reporting',
    ...{ shared: false, hot: 15, lone: 14, suspect: true },
  };
  const lines = linesOf(servicesOf([FAILING]), PIPE, { hosts: [], callers: [voice] }, reporter);
  t.regex(lines[0]!, /^reporter unwell · /);
  t.deepEqual(lines.slice(1, 3), [
    '! behind: late',
    'suspect: caller 10.9.0.3 complains alone about 14 hosts, with others about 1',
  ]);
});

test('a list that is cut says how many more there are; an empty one says what to do', (t) => {
  const some = servicesOf([FAILING], { total: 31 });
  t.is(linesOf(some).at(-1), '30 more services; --limit 31 shows all of them');
  t.is(linesOf(servicesOf([])).at(-1), 'no service is in trouble; --all lists all of them');
  const none = { ok: 0, noted: 0, failing: 0, overloaded: 0, outage: 0 };
  const lines = linesOf(servicesOf([], { counts: none }));
  t.regex(lines[0]!, / · no services$/);
  t.regex(lines[1]!, /lars-reporter send/);
});

test('how current it is, is said: behind, reading the table, seen through some callers', (t) => {
  const said = (given: Partial<ServicesAnswer>) => linesOf(servicesOf([], given))[0]!;
  t.regex(said({ behind: { seconds: 8, droppedRows: 5 } }), / · 8 s behind, as of /);
  t.regex(said({ warming: { rows: 1200, done: false } }), / · reading the table \(1200 rows\), as of /);
  t.regex(said({ sampled: 0.125 }), / \(seen through 1 of 8 callers\) · /);
});

test('names of services cannot reach the terminal as anything but text', (t) => {
  const lines = linesOf(servicesOf([summaryOf('outage', { name: 'a\u001b[2Jb\nc' })]));
  t.notRegex(lines.join(''), /\p{Cc}/u);
  t.is(lines.length, 3);
  const ascii = linesOf(servicesOf([summaryOf('outage', { name: '直播' })]), { ...PIPE, unicode: false });
  t.notRegex(ascii.join(''), /[^\x20-\x7e]/);
});

test('columns are aligned by what is seen, also with letters of double width', (t) => {
  const columns: Column<string>[] = [
    { title: 'name', text: (row) => row },
    { title: 'last', text: () => '|' },
  ];
  const { lines } = layOut(columns, ['直播', 'ab', 'e\u0301e'], PIPE);
  t.deepEqual(
    lines.map((line) => widthOf(line)),
    [7, 7, 7],
  );
  t.is(cut('直播列表', 5, PIPE), '直播…');
  t.is(cut('直播列表', 8, PIPE), '直播列表');
  t.is(cut('abcdef', 5, { ...PIPE, unicode: false }), 'ab...');
  t.is(joined([['ab'], ['cd'], ['ef']], { ...PIPE, width: 8 }), 'ab · cd…');
});

test('colours and shapes are for terminals, unless the environment says otherwise', (t) => {
  const medium = (isTerminal: boolean, env: NodeJS.ProcessEnv, noColour = false) => {
    const { colours, shapes } = mediumOf({ isTerminal, columns: undefined, env, noColour });
    return [colours, shapes];
  };
  t.deepEqual(medium(true, {}), [true, true]);
  t.deepEqual(medium(false, {}), [false, false]);
  t.deepEqual(medium(true, { NO_COLOR: '1' }), [false, true]);
  t.deepEqual(medium(true, { NO_COLOR: '' }), [true, true]);
  t.deepEqual(medium(true, { TERM: 'dumb' }), [false, true]);
  t.deepEqual(medium(true, { FORCE_COLOR: '0' }), [false, true]);
  t.deepEqual(medium(false, { FORCE_COLOR: '1' }), [true, true]);
  t.deepEqual(medium(false, { FORCE_COLOR: '1' }, true), [false, true]);
});

test('the locale decides between shapes and ASCII; the terminal decides the width, never below 60', (t) => {
  const medium = (env: NodeJS.ProcessEnv, columns?: number) =>
    mediumOf({ isTerminal: true, columns, env, noColour: false });
  t.true(medium({ LANG: 'zh_CN.UTF-8' }).unicode);
  t.true(medium({ LC_ALL: 'C.utf8', LANG: 'C' }).unicode);
  t.false(medium({ LC_ALL: 'C', LANG: 'zh_CN.UTF-8' }).unicode);
  t.false(medium({}).unicode);
  t.is(medium({}, 100).width, 100);
  t.is(medium({}, 20).width, 60);
  t.is(medium({ COLUMNS: '77' }).width, 77);
  t.is(medium({}).width, Number.POSITIVE_INFINITY);
});

test('every level has a shape of its own, in ASCII too', (t) => {
  for (const unicode of [true, false]) {
    const levels: readonly Level[] = ['outage', 'overloaded', 'failing', 'noted', 'ok'];
    const shapes = levels.map(
      (level) => linesOf(servicesOf([summaryOf(level)]), { ...PIPE, shapes: true, unicode })[2]![0],
    );
    t.is(new Set(shapes).size, 5);
    t.is(/^[\x21-\x7e]{5}$/.test(shapes.join('')), !unicode);
  }
});

test('--check is one line with numbers, and its state follows the worst there is', (t) => {
  const counts = { ok: 5, noted: 0, failing: 0, overloaded: 0, outage: 0 };
  const check = (given: Partial<typeof counts>, failOn: Level = 'failing', reporter = reporterOf()) =>
    checkLine(reporter, servicesOf([summaryOf('failing')], { counts: { ...counts, ...given } }), failOn);
  t.deepEqual(check({}), {
    state: 'OK',
    line:
      'LARS OK - 5 ok | outage=0 overloaded=0 failing=0 noted=0 ok=5 connections=212 gone=1 pending=0 ' +
      'oldest_pending=0s rows_in=1 view_behind=0s',
  });
  t.is(check({ noted: 1 }).state, 'OK');
  t.is(check({ noted: 1 }, 'noted').state, 'WARNING');
  t.is(check({ failing: 1 }).state, 'WARNING');
  t.is(check({ failing: 1 }, 'outage').state, 'OK');
  t.is(check({ overloaded: 1 }).state, 'CRITICAL');
  t.is(check({ outage: 1 }).state, 'CRITICAL');
  t.regex(check({ failing: 2 }).line, /^LARS WARNING - 2 failing, 5 ok; worst 4242\/17 feed: 1 of 2 hosts /);
  const problem = (severity: 'critical' | 'warning' | 'notice') =>
    reporterOf({
      state: severity === 'notice' ? 'ok' : 'unwell',
      problems: [{ code: 'behind', severity, since: NOW, text: 'late | and\nmore', means: '', doc: '' }],
    });
  t.is(check({}, 'failing', problem('critical')).state, 'CRITICAL');
  t.is(check({}, 'failing', problem('warning')).state, 'WARNING');
  t.is(check({}, 'failing', problem('notice')).state, 'OK');
  t.deepEqual(unknownLine('a | b\nc'), { state: 'UNKNOWN', line: 'LARS UNKNOWN - a / b c' });
});
