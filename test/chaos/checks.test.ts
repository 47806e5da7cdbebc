import test from 'ava';
import type { Row } from '../../src/index.js';
import { numberedReport, rowsOf } from '../../src/testing/index.js';
import { checkTable, unexpectedLines } from '../../tools/chaos/checks.js';
import { History } from '../../tools/chaos/history.js';

const CALLER = 7;
const shape = { services: 2, hosts: 3 };

/** All rows of the caller as its round `round` says. */
function rowsAt(round: number, caller = CALLER): Row[] {
  return Array.from({ length: shape.services }, (_, service) =>
    rowsOf(numberedReport(service, caller, shape.hosts, round)),
  ).flat();
}

const courses = (journaled: number, sent: number) => new Map([[CALLER, { journaled, sent }]]);

test('a table in which every key is between what is journaled and what was sent is in order', (t) => {
  const mixed = [...rowsAt(4).slice(0, 3), ...rowsAt(6).slice(3)];
  t.deepEqual(checkTable(mixed, [], courses(4, 6), shape), []);
  t.deepEqual(checkTable([], [], courses(0, 6), shape), [], 'nothing is known to be journaled');
});

test('a key that is older than what was journaled is found', (t) => {
  const [first, ...others] = rowsAt(5);
  const [violation, ...more] = checkTable([rowsAt(4)[0]!, ...others], [], courses(5, 5), shape);
  t.regex(violation!, /stands at 4, journaled was 5/);
  t.deepEqual(more, []);
  t.truthy(first);
});

test('a key that is missing is found', (t) => {
  t.regex(checkTable(rowsAt(5).slice(1), [], courses(5, 5), shape)[0]!, /is missing, journaled was 5/);
});

test('a value that was never sent is found', (t) => {
  const violations = checkTable(rowsAt(6), [], courses(5, 5), shape);
  t.regex(violations[0]!, /stands at 6, sent were 1 to 5/);
  t.regex(violations.at(-1)!, /6 keys in all/);
});

test('a key that nobody sent is found', (t) => {
  const stranger = rowsAt(5, CALLER + 1)[0]!;
  t.regex(checkTable([...rowsAt(5), stranger], [], courses(5, 5), shape)[0]!, /is stored and nobody sent it/);
});

test('a row that holds parts of different reports is found', (t) => {
  const [first, ...others] = rowsAt(5);
  const torn = { ...first!, err: first!.err + 1 };
  t.regex(checkTable([torn, ...others], [], courses(5, 5), shape)[0]!, /parts of different reports/);
});

test('a dead letter counts in place of the table, and must be the newer one', (t) => {
  const letter = rowsAt(5)[0]!;
  const table = [rowsAt(3)[0]!, ...rowsAt(5).slice(1)];
  t.deepEqual(checkTable(table, [letter], courses(5, 5), shape), []);
  t.regex(checkTable(rowsAt(6), [letter], courses(5, 6), shape)[0]!, /has a dead letter of 5/);
});

test('only what was read before the question counts as journaled, and only by the process that read it', (t) => {
  const history = new History([CALLER]);
  const journaled = () => history.courses.get(CALLER)!.journaled;
  for (let round = 1; round <= 3; round++) history.nextRound(CALLER);
  history.wasRead(CALLER, 1, 1);
  const asked = history.question();
  history.wasRead(CALLER, 2, 1);
  history.allJournaled(asked, 1);
  t.is(journaled(), 1);
  history.wasRead(CALLER, 3, 2);
  history.allJournaled(history.question(), 2);
  t.is(journaled(), 3);
  t.is(history.uncertain, 0);
  history.nextRound(CALLER);
  t.is(history.uncertain, 1);
  history.wasRead(CALLER, 4, 2);
  history.allJournaled(history.question(), 3);
  t.is(journaled(), 3, 'a process knows nothing of what another one has read');
});

test('lines that a reporter does not log on purpose are found', (t) => {
  const line = (level: string, msg: string) => JSON.stringify({ level, msg });
  const expected = [
    line('info', 'listening for agents'),
    line('warn', 'the store failed; retrying'),
    line('error', 'the journal cannot be written; agents wait'),
  ];
  t.deepEqual(unexpectedLines(`${expected.join('\n')}\n`, false), []);
  const unexpected = [
    line('fatal', 'a bug ends the process: x is not a function'),
    line('error', 'a journal record was put into quarantine'),
    line('warn', 'a writer crashed; restarting it'),
    line('warn', 'the live view crashed; restarting it, nothing else is touched'),
    '(node:1) MaxListenersExceededWarning: Possible EventEmitter memory leak detected.',
    'TypeError: x is not a function',
    'Write error: File too large position 4096, size 4096mdb_page_spill error 27',
  ];
  t.deepEqual(unexpectedLines(unexpected.join('\n'), false), unexpected);
});

test('a database that refuses the reporter is an expected reason to end, and only then', (t) => {
  const line = JSON.stringify({ level: 'error', msg: 'connecting: Access denied for user' });
  t.deepEqual(unexpectedLines(line, true), []);
  t.deepEqual(unexpectedLines(line, false), [line]);
});
