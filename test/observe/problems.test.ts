import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { docOf, MEANS } from '../../src/observe/problem-guide.js';
import { type Facts, PROBLEM_CODES, problemsIn } from '../../src/observe/problems.js';
import { viewCounts, viewStatusOf } from '../admin/fake-view.js';
import { busyStatus, ledgerOf, reporterStatus, writerStatus } from '../admin/statuses.js';
import { PROJECT } from '../support/sources.js';

const NOW = 1_000_000;

const facts = (given: Partial<Facts> = {}): Facts => ({
  nowMs: NOW,
  wallMs: Date.parse('2026-06-01T00:00:00Z'),
  status: reporterStatus(),
  maxInflightBytes: 1000,
  maxConnections: 10,
  inflightHighMs: undefined,
  refusedMs: undefined,
  lagP99Ms: 0,
  newlyQuarantined: 0,
  storeUnopened: undefined,
  clockStep: undefined,
  view: viewStatusOf(),
  ...given,
});

const failing = (errorClass: 'retry' | 'configuration', message = 'gone', sinceMs = 5) =>
  writerStatus({
    store: { state: 'failing', class: errorClass, code: 'X', message, sinceMs },
  });

const writers = (...all: ReturnType<typeof writerStatus>[]) => reporterStatus({ writers: all });
const callers = (given: object) => ({ reporting: 0, connected: 0, gone: 0, table: 0, ...given });

test('a reporter that is well has no problem, with a view or without', (t) => {
  t.deepEqual(problemsIn(facts()), []);
  t.deepEqual(problemsIn(facts({ view: undefined })), []);
  const tls = { validTo: '2026-06-16T00:00:00.000Z', endsFirst: 'listen.tls.cert' } as const;
  t.deepEqual(problemsIn(facts({ status: reporterStatus({ tls }) })), []);
  t.deepEqual(problemsIn(facts({ view: viewStatusOf({ state: 'starting', counts: undefined }) })), []);
  t.deepEqual(problemsIn(facts({ view: viewStatusOf({ state: 'warming' }) })), []);
  t.deepEqual(problemsIn(facts({ view: viewStatusOf({ state: 'off', restarts: 1 }) })), []);
});

/** What makes each problem, and what is said of it. */
const CASES: readonly (readonly [code: string, given: Partial<Facts>, severity: string, says: RegExp])[] = [
  [
    'journal-failing',
    { status: reporterStatus({ journalError: 'ENOSPC' }) },
    'critical',
    /cannot be written: ENOSPC$/,
  ],
  [
    'writer-failing',
    { status: writers(writerStatus({ partition: 3, state: 'failing', lastCrash: 'boom' })) },
    'critical',
    /^writer 3 keeps crashing: boom$/,
  ],
  [
    'unbalanced',
    { status: reporterStatus({ ledger: ledgerOf({ received: 10, upserted: 7, pending: 1 }) }) },
    'critical',
    /off by 2 rows$/,
  ],
  [
    'store-refuses',
    { status: writers(writerStatus(), failing('configuration', 'no grant')) },
    'warning',
    /^embedded:.* takes nothing for 1 of 2 writers: no grant$/,
  ],
  [
    'store-away',
    { status: writers(failing('retry', 'later', 9), failing('retry', 'first', 2)) },
    'warning',
    /is away for 2 of 2 writers: first$/,
  ],
  ['store-away', { storeUnopened: 'ECONNREFUSED' }, 'warning', /could not be opened: ECONNREFUSED$/],
  [
    'behind',
    {
      status: writers(
        writerStatus({ oldestPendingSeconds: 11, ledger: ledgerOf({ received: 5, pending: 5 }) }),
      ),
    },
    'warning',
    /came 11 s ago; 5 rows wait$/,
  ],
  ['behind', { status: writers(writerStatus({ oldestPendingSeconds: 901 })) }, 'critical', /came 15 min ago/],
  [
    'backpressure',
    { inflightHighMs: NOW - 10_000, status: reporterStatus({ inflightBytes: 850 }) },
    'warning',
    /^85 % of listen\.maxInflightBytes/,
  ],
  [
    'writer-restarting',
    { status: writers(writerStatus({ state: 'restarting', restarts: 1, lastCrash: 'boom' })) },
    'warning',
    /^writer 0 crashed .*: boom$/,
  ],
  [
    'writer-restarting',
    { status: writers(writerStatus({ state: 'recovering', restarts: 1, lastCrash: 'boom' })) },
    'warning',
    /^writer 0 crashed/,
  ],
  [
    'connections-refused',
    { refusedMs: NOW - 60_000, status: reporterStatus({ traffic: busyStatus().traffic }) },
    'warning',
    /^2 connections refused since the start, the last one 60 s ago; 3 of 10 are open$/,
  ],
  [
    'certificate-ends',
    {
      status: reporterStatus({ tls: { validTo: '2026-06-11T12:00:00.000Z', endsFirst: 'listen.tls.cert' } }),
    },
    'warning',
    /^listen\.tls\.cert: a certificate ends at 2026-06-11T12:00:00\.000Z, in 10 days$/,
  ],
  [
    'certificate-ends',
    { status: reporterStatus({ tls: { validTo: '2026-05-31T00:00:00.000Z', endsFirst: 'listen.tls.ca' } }) },
    'critical',
    /^listen\.tls\.ca: a certificate ended at 2026-05-31T00:00:00\.000Z; agents with TLS/,
  ],
  ['dead-letters', { status: reporterStatus({ deadLetters: 1 }) }, 'warning', /of 1 key$/],
  [
    'quarantine',
    { status: reporterStatus({ quarantined: 3 }), newlyQuarantined: 1 },
    'warning',
    /^3 journal records are kept aside, 1 since the start$/,
  ],
  ['quarantine', { status: reporterStatus({ quarantined: 3 }) }, 'notice', /0 since the start$/],
  ['loop-slow', { lagP99Ms: 201 }, 'warning', /201 ms late$/],
  ['view-behind', { view: viewStatusOf({ behindS: 10 }) }, 'warning', /^the view is 10 s behind/],
  [
    'view-behind',
    { view: viewStatusOf({ state: 'starting', restarts: 2, counts: undefined }) },
    'warning',
    /ended 2 times and is being restarted$/,
  ],
  [
    'view-mismatch',
    { view: viewStatusOf({ counts: viewCounts({ mismatches: 1 }) }) },
    'warning',
    /^1 counter .* was put right$/,
  ],
  [
    'history-stopped',
    { view: viewStatusOf({ history: { state: 'stopped', why: 'ENOSPC', bytes: 1 } }) },
    'warning',
    /^the history is not written: ENOSPC$/,
  ],
  [
    'agents-gone',
    { view: viewStatusOf({ counts: viewCounts({ callers: callers({ gone: 3 }) }) }) },
    'notice',
    /^3 machines lost the connection/,
  ],
  [
    'shared-callers',
    { view: viewStatusOf({ counts: viewCounts({ sharedCallers: 2 }) }) },
    'notice',
    /^2 caller names are used by several machines/,
  ],
  [
    'clock-stepped',
    { clockStep: { atMs: NOW - 900_000, bySeconds: -3600 } },
    'notice',
    /was set back by 60 min$/,
  ],
];

for (const [code, given, severity, says] of CASES) {
  test(`${code} is told as ${severity}: ${says.source}`, (t) => {
    const found = problemsIn(facts(given));
    t.deepEqual(
      found.map((one) => [one.code, one.severity]),
      [[code, severity]] as never,
    );
    t.regex(found[0]!.text, says);
  });
}

test('there is a case of every code, what it means, and where it is said what to do', (t) => {
  t.deepEqual([...new Set(CASES.map(([code]) => code))].sort(), [...PROBLEM_CODES].sort());
  for (const code of PROBLEM_CODES) {
    t.regex(MEANS[code], /^[A-Z].*\.$/);
    const [file = '', anchor = ''] = docOf(code).split('#');
    t.true(readFileSync(path.join(PROJECT, file), 'utf8').includes(`\n### ${anchor}\n`), code);
  }
});

test('just below each bound there is no problem', (t) => {
  for (const given of [
    { status: writers(writerStatus({ oldestPendingSeconds: 10 })) },
    { inflightHighMs: NOW - 9999 },
    { refusedMs: NOW - 300_001 },
    { lagP99Ms: 200 },
    { clockStep: { atMs: NOW - 900_001, bySeconds: 60 } },
    { view: viewStatusOf({ behindS: 9 }) },
    { status: writers(writerStatus({ state: 'recovering' })) },
  ])
    t.deepEqual(problemsIn(facts(given)), [], JSON.stringify(given));
});

test('the worst problem comes first', (t) => {
  const status = { ...writers(failing('retry')), journalError: 'EIO', deadLetters: 1, quarantined: 1 };
  t.deepEqual(
    problemsIn(facts({ status })).map(({ code }) => code),
    ['journal-failing', 'store-away', 'dead-letters', 'quarantine'],
  );
});
