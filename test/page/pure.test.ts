import test from 'ava';
import fc from 'fast-check';
import { calmOrder } from '../../src/page/pure/calm.js';
import { Formats } from '../../src/page/pure/formats.js';
import { groupChanges } from '../../src/page/pure/group-changes.js';
import { address, readPlace } from '../../src/page/pure/page-address.js';
import { joined, shapeOf, timeTicks } from '../../src/page/pure/scale.js';
import { seriesOfHistory } from '../../src/page/pure/series.js';
import { blocksOf } from '../../src/page/pure/verdicts.js';
import type { Change } from '../../src/view/shapes.js';

const english = new Formats('en-GB', 'UTC');
const NOW = Date.parse('2026-11-27T03:12:07Z');

test('an address says what is shown', (t) => {
  t.deepEqual(readPlace(''), { page: 'overview', id: '', params: {} });
  t.deepEqual(readPlace('#/services/4242/-17?host=10.0.0.1:80&caller=10.0.0.9'), {
    ...{ page: 'service', id: '4242/-17' },
    params: { host: '10.0.0.1:80', caller: '10.0.0.9' },
  });
  t.is(readPlace('#/hosts').page, 'hosts');
  t.is(readPlace('#/hosts/10.0.0.1').page, 'host');
  t.is(readPlace('#/callers/10.0.0.9').id, '10.0.0.9');
  t.is(readPlace('#/changes?since=15m').params['since'], '15m');
  for (const wrong of ['#/services/x/1', '#/services/1', '#/hosts/x', '#/nothing', '#/reporter/1', '#x'])
    t.is(readPlace(wrong).page, 'unknown', wrong);
});

test('what is put into an address comes out of it, whatever it is', (t) => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (q) => {
      t.is(readPlace(address('', { q, level: undefined })).params['q'], q);
    }),
  );
  t.is(address('changes', { since: '15m', kind: '' }), '#/changes?since=15m');
});

test('rates have the digits that matter', (t) => {
  t.deepEqual(
    [0, 0.049, 1, 31, 182.44, 1234.5].map((rate) => english.rate(rate)),
    [...['0', '0.05', '1.0', '31.0', '182.4', '1,235']],
  );
});

test('a share that is not known is a dash, a small one is not 0', (t) => {
  t.deepEqual(
    [null, 0, 0.0004, 0.061, 1].map((share) => english.share(share)),
    [...['–', '0.0\u00a0%', '<0.1\u00a0%', '6.1\u00a0%', '100.0\u00a0%']],
  );
});

test('spans have two units at most, times of other days their day', (t) => {
  t.deepEqual(
    [0, 59, 60, 3599, 3780, 86_400, 190_000].map((seconds) => english.span(seconds)),
    [...['0s', '59s', '1m', '59m', '1h 3m', '1d', '2d 4h']],
  );
  t.is(english.clock('2026-11-27T03:02:07Z'), '03:02:07');
  t.is(english.minute('2026-11-27T02:11:40Z', NOW), '02:11');
  t.regex(english.minute('2026-11-26T02:11:40Z', NOW), /26 Nov.* 02:11/);
});

test('marks of a plot name each day once, also beyond a change to summer time', (t) => {
  const marks = (first: string, last: string, offsetS: number, zone: string) => {
    const ticks = timeTicks(Date.parse(first) / 1000, Date.parse(last) / 1000, 12, offsetS);
    const isDaily = ticks[1]! - ticks[0]! >= 86_400;
    const formats = new Formats('en-GB', zone);
    return ticks.map((at) => formats.mark(at * 1000, isDaily));
  };
  t.deepEqual(marks('2026-11-26T19:30:00Z', '2026-11-27T03:30:00Z', 0, 'UTC'), [
    ...['20:00', '21:00', '22:00', '23:00', '27 Nov', '01:00', '02:00', '03:00'],
  ]);
  const days = marks('2026-03-22T12:00:00Z', '2026-04-01T12:00:00Z', 7200, 'Europe/Berlin');
  t.deepEqual(days, [
    ...['23 Mar', '24 Mar', '25 Mar', '26 Mar', '27 Mar', '28 Mar', '29 Mar', '30 Mar', '31 Mar', '1 Apr'],
  ]);
});

test('rows that are read stay where they are, and what waits is counted', (t) => {
  t.deepEqual(calmOrder(['a', 'b', 'c'], ['c', 'a', 'b'], false), { shown: ['c', 'a', 'b'], waiting: 0 });
  t.deepEqual(calmOrder(['a', 'b', 'c'], ['c', 'a', 'b'], true), { shown: ['a', 'b', 'c'], waiting: 1 });
  t.deepEqual(calmOrder(['a', 'b'], ['d', 'a'], true), { shown: ['a', 'b'], waiting: 2 });
  t.deepEqual(calmOrder([], ['a'], true), { shown: ['a'], waiting: 0 });
});

test('nothing waits exactly when the order is as it should be', (t) => {
  const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'));
  fc.assert(
    fc.property(ids, ids, (shown, wanted) => {
      const { shown: kept, waiting } = calmOrder(shown, wanted, true);
      t.is(waiting === 0, kept.join() === wanted.join());
    }),
  );
});

test('blocks show one bad host at least, and never all while one is well', (t) => {
  const count = (bad: number, total: number) => blocksOf(bad, total).filter((isBad) => isBad).length;
  t.deepEqual(
    [count(0, 3), count(1, 2), count(1, 1000), count(999, 1000), count(1000, 1000)],
    [0, 1, 1, 9, 10],
  );
  t.is(blocksOf(0, 0).length, 0);
});

test('a line has gaps where nothing is known, and a point where a value stands alone', (t) => {
  const { line, points } = shapeOf([0, 1, 2, 3, 4], [1, 2, null, 3, null], 9, false);
  t.is(line, 'M0 1L1 2M3 3');
  t.deepEqual(points, [[3, 3]]);
  t.is(shapeOf([0, 1], [1, 2], 9, true).line, 'M0 1L1 1L1 2');
});

test('ticks are round times, bands do not overlap', (t) => {
  t.deepEqual(timeTicks(100, 2000, 4), [600, 1200, 1800]);
  t.deepEqual(
    joined([
      { from: 5, to: 9 },
      { from: 1, to: 3 },
      { from: 2, to: 4 },
    ]),
    [
      { from: 1, to: 4 },
      { from: 5, to: 9 },
    ],
  );
});

test('what happened to many hosts of a service in a minute is one thing', (t) => {
  const change = (id: number, at: string, host: string | null, cmdid = 1): Change => ({
    ...{
      id,
      at: `2026-11-27T${at}Z`,
      kind: 'incident-began',
      modid: 1,
      cmdid,
      name: null,
      host,
      caller: null,
    },
    ...{ incident: id, text: '' },
  });
  const groups = groupChanges([
    change(6, '03:01:09', 'a:1'),
    change(5, '03:00:50', 'a:1'),
    change(4, '03:00:40', null),
    change(3, '03:00:30', 'b:1'),
    change(2, '03:00:20', 'c:1', 2),
    change(1, '03:00:10', 'c:1'),
  ]);
  t.deepEqual(
    groups.map(({ changes }) => changes.map(({ id }) => id)),
    [[6], [5, 3, 1], [4], [2]],
  );
});

test('what was seen for a part of a minute is told as of the whole; what was not seen is a gap', (t) => {
  const times = [0, 1, 2].map((minute) => new Date(minute * 60_000).toISOString());
  const series = seriesOfHistory({
    ...{ asOf: times[0]!, tick: 1, node: null, step: '1m', from: times[0]!, t: times },
    ...{ calls: [600, 300, null], errs: [60, 30, null], overloaded: [1, 1, null], callers: [1, 1, null] },
    ...{ hot: [1, 1, null], level: [3, 3, null], coverage: [1, 0.5, 0] },
  });
  t.deepEqual(series.t, [0, 60, 120]);
  t.deepEqual(series.calls, [10, 10, null]);
  t.deepEqual(series.errors, [10, 10, null]);
  t.deepEqual(series.overloaded, [1, 1, null]);
});
