import test from 'ava';
import { StoreError } from '../../src/model/errors.js';
import type { ReporterStatus } from '../../src/model/status.js';
import { Traffic } from '../../src/model/traffic.js';
import { LoopLag } from '../../src/observe/loop-lag.js';
import { Vitals } from '../../src/observe/vitals.js';
import { until } from '../../src/testing/index.js';
import { ledgerOf, reporterStatus, writerStatus } from '../admin/statuses.js';

const WALL = Date.UTC(2026, 10, 27, 2, 0, 0);

/** Vitals with clocks and a status that a test moves. */
class Watched {
  nowMs = 5_000_000;
  wallMs = WALL;
  lagMs = 0;
  status: ReporterStatus = reporterStatus();
  readonly vitals: Vitals;
  readonly lags: number[] = [];

  constructor() {
    const watched = this;
    this.vitals = new Vitals({
      source: () => this.status,
      limits: { maxInflightBytes: 1000, maxConnections: 10 },
      lag: {
        get p99Ms() {
          return watched.lagMs;
        },
        take: () => [{ ms: watched.lagMs, count: 1 }],
      },
      onLag: (lags) => this.lags.push(...lags.map(({ ms }) => ms)),
      nowMs: () => this.nowMs,
      wallMs: () => this.wallMs,
    });
  }

  pass(seconds: number, each: (second: number) => void = () => {}): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      this.wallMs += 1000;
      each(second);
      this.vitals.sample(undefined);
    }
  }

  get codes(): string[] {
    return this.vitals.health(undefined).problems.map(({ code }) => code);
  }
}

const flushed = (seconds: number, rows = 1) =>
  ({ type: 'statement-flushed', partition: 0, rows, seconds }) as const;

test('a reporter that is well is ok; one with a warning is unwell; a notice changes nothing', (t) => {
  const watched = new Watched();
  const state = (given: Partial<ReporterStatus>) => {
    watched.status = reporterStatus(given);
    return watched.vitals.health(undefined).state;
  };
  t.is(state({}), 'ok');
  t.is(state({ quarantined: 1 }), 'ok');
  t.is(state({ deadLetters: 1 }), 'unwell');
  t.is(state({ state: 'starting', writers: [] }), 'starting');
  t.is(state({ state: 'draining' }), 'draining');
  t.is(state({ state: 'stopped' }), 'draining');
});

test('a problem is told since when it began, and anew when it comes again', (t) => {
  const watched = new Watched();
  const since = () => watched.vitals.health(undefined).problems[0]?.since;
  watched.pass(10);
  watched.status = reporterStatus({ journalError: 'EIO' });
  watched.pass(30);
  t.is(since(), '2026-11-27T02:00:11Z');
  watched.status = reporterStatus();
  watched.pass(1);
  t.is(since(), undefined);
  watched.status = reporterStatus({ journalError: 'EIO' });
  watched.pass(5);
  t.is(since(), '2026-11-27T02:00:42Z');
});

test('rates are those of the last ten seconds', (t) => {
  const watched = new Watched();
  t.deepEqual(watched.vitals.health(undefined).rates, { rowsIn: 0, rowsStored: 0 });
  let received = 0;
  const run = (seconds: number, aSecond: number) =>
    watched.pass(seconds, () => {
      received += aSecond;
      const writer = writerStatus({
        ledger: ledgerOf({ received, upserted: received / 2, pending: received / 2 }),
      });
      watched.status = reporterStatus({ writers: [writer] });
    });
  run(60, 1000);
  run(10, 300);
  t.deepEqual(watched.vitals.health(undefined).rates, { rowsIn: 300, rowsStored: 150 });
});

test('statements of the last minute are told by their median and their slow ones', (t) => {
  const watched = new Watched();
  t.deepEqual(watched.vitals.health(undefined).flush, { p50Ms: null, p99Ms: null, rowsP50: null });
  for (let count = 0; count < 99; count++) watched.vitals.observe(flushed(0.01, 100));
  watched.vitals.observe(flushed(2, 1000));
  t.deepEqual(watched.vitals.health(undefined).flush, { p50Ms: 10, p99Ms: 2000, rowsP50: 100 });
  watched.pass(61);
  t.is(watched.vitals.health(undefined).flush.p50Ms, null);
});

test('backpressure is told after ten seconds of it, and not when it comes and goes', (t) => {
  const watched = new Watched();
  watched.pass(60, (second) => {
    watched.status = reporterStatus({ inflightBytes: second % 8 === 0 ? 10 : 990 });
  });
  t.deepEqual(watched.codes, []);
  watched.status = reporterStatus({ inflightBytes: 800 });
  watched.pass(11);
  t.deepEqual(watched.codes, ['backpressure']);
});

test('refused connections are told for five minutes', (t) => {
  const watched = new Watched();
  watched.status = reporterStatus({ traffic: Object.assign(new Traffic(), { refused: 1 }) });
  watched.pass(300);
  t.deepEqual(watched.codes, ['connections-refused']);
  watched.pass(2);
  t.deepEqual(watched.codes, []);
});

test('a store that is away at the start is told until it takes something', (t) => {
  const watched = new Watched();
  watched.vitals.observe({
    type: 'store-unavailable',
    store: 'mysql://db',
    error: new StoreError('retry', 'ECONNREFUSED', 'connection refused'),
  });
  t.deepEqual(watched.codes, ['store-away']);
  watched.vitals.observe(flushed(0.1));
  t.deepEqual(watched.codes, []);
});

test('a wall clock that is set is told, and moves no other time', (t) => {
  const watched = new Watched();
  watched.status = reporterStatus({ journalError: 'EIO' });
  watched.pass(10);
  watched.wallMs += 3_600_000;
  watched.pass(1);
  const { problems } = watched.vitals.health(undefined);
  t.deepEqual(
    problems.map(({ code, since }) => [code, since]),
    [
      ['journal-failing', '2026-11-27T03:00:01Z'],
      ['clock-stepped', '2026-11-27T03:00:11Z'],
    ],
  );
  t.regex(problems[1]!.text, /forward by 60 min/);
  watched.pass(5, () => {
    watched.wallMs += 1;
  });
  t.is(watched.vitals.health(undefined).problems[1]!.since, '2026-11-27T03:00:11Z', 'drift is none');
});

test('a slow event loop is told for ten seconds at least, and handed on to be counted', (t) => {
  const watched = new Watched();
  watched.lagMs = 500;
  watched.pass(10);
  watched.lagMs = 1;
  watched.pass(9);
  t.deepEqual(watched.codes, ['loop-slow']);
  watched.pass(1);
  t.deepEqual(watched.codes, []);
  t.deepEqual(watched.lags, [500, 1]);
});

test('the lag of the event loop is what a turn of ours takes', async (t) => {
  const lag = new LoopLag();
  t.teardown(() => lag.stop());
  let largest = 0;
  await until(
    () => {
      const end = performance.now() + 100;
      while (performance.now() < end);
      largest = Math.max(largest, lag.p99Ms);
      return largest >= 60;
    },
    { boundMs: 20_000, what: 'the lag to be seen' },
  );
  const lags = lag.take();
  t.true(lags.length > 0);
  t.true(lags.every(({ ms, count }) => ms >= 0 && count >= 1));
});
