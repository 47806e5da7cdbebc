import type { Row } from '../../src/index.js';
import { isNumbered, keyOf, numberedReport } from '../../src/testing/index.js';
import type { Course } from './history.js';

/** How many keys each agent reports on. */
export interface Shape {
  readonly services: number;
  readonly hosts: number;
}

/** Violations of one kind that are worth reading. */
const SHOWN = 5;

/**
 * Compares a table at rest with what was sent. Every key stands at a value that was sent for it, as a whole, and at
 * none older than the last one known to be journaled. `letters` are rows the store rejects: there the letter counts
 * in place of the table, and must be newer than what the table holds.
 */
export function checkTable(
  rows: Iterable<Row>,
  letters: Iterable<Row>,
  courses: ReadonlyMap<number, Readonly<Course>>,
  shape: Shape,
): string[] {
  const found = new Found();
  const table = new Map(Array.from(rows, (row) => [keyOf(row), row]));
  const rejected = new Map(Array.from(letters, (row) => [keyOf(row), row]));
  for (const row of table.values())
    if (!isNumbered(row)) found.add('mixed values', `${keyOf(row)} holds parts of different reports`);
  for (const [key, { succ }] of rejected) {
    const stored = table.get(key);
    if (stored && stored.succ >= succ)
      found.add('stale letters', `${key} stands at ${stored.succ} and has a dead letter of ${succ}`);
  }
  for (const [caller, { sent, journaled }] of courses) {
    for (const key of keysOf(caller, shape)) {
      const row = rejected.get(key) ?? table.get(key);
      table.delete(key);
      if (!row) {
        if (journaled > 0) found.add('missing', `${key} is missing, journaled was ${journaled}`);
      } else if (row.succ < journaled) {
        found.add('lost', `${key} stands at ${row.succ}, journaled was ${journaled}`);
      } else if (row.succ > sent || row.succ < 1) {
        found.add('never sent', `${key} stands at ${row.succ}, sent were 1 to ${sent}`);
      }
    }
  }
  for (const key of table.keys()) found.add('never sent', `${key} is stored and nobody sent it`);
  return found.texts();
}

function* keysOf(caller: number, { services, hosts }: Shape): Generator<string> {
  for (let service = 0; service < services; service++) {
    const { modid, cmdid, results } = numberedReport(service, caller, hosts, 0);
    for (const { ip, port } of results) yield keyOf({ modid, cmdid, ip: ip | 0, port, caller });
  }
}

/** A few texts of each kind, and how many more there are. */
class Found {
  readonly #kinds = new Map<string, { texts: string[]; count: number }>();

  add(kind: string, text: string): void {
    const found = this.#kinds.get(kind) ?? { texts: [], count: 0 };
    this.#kinds.set(kind, found);
    found.count++;
    if (found.texts.length < SHOWN) found.texts.push(text);
  }

  texts(): string[] {
    return [...this.#kinds].flatMap(([kind, { texts, count }]) =>
      count > texts.length ? [...texts, `${kind}: ${count} keys in all`] : texts,
    );
  }
}

/** What a reporter may log when something fails on purpose; every other error is one of its own. */
const EXPECTED_ERRORS = [
  'the store refuses rows; they wait in the journal',
  'the journal cannot be written',
  'the configuration was not taken',
];
/** Warnings that nothing done to it from outside explains. */
const UNEXPECTED_WARNINGS = [
  'a writer crashed',
  'the live view crashed',
  'a connection crashed',
  'cannot take a connection',
  'an actor',
];

/**
 * Lines of a reporter's stderr that must not be there: a crash, a bug, a warning of the runtime. `expected`: beginnings
 * of further errors that there is a reason for.
 */
export function unexpectedLines(
  stderr: string,
  isConfigurationRefused: boolean,
  expected: readonly string[] = [],
): string[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !isExpected(line, isConfigurationRefused, expected));
}

function isExpected(line: string, isConfigurationRefused: boolean, expected: readonly string[]): boolean {
  let entry: { readonly level?: unknown; readonly msg?: unknown };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    // Not of the reporter's log, but of what it stands on, or of a process that was not started.
    return expected.some((text) => line.startsWith(text));
  }
  const message = String(entry.msg);
  const isAmong = (messages: readonly string[]) => messages.some((text) => message.startsWith(text));
  if (entry.level === 'info') return true;
  if (entry.level === 'warn') return !isAmong(UNEXPECTED_WARNINGS);
  const isReason = isConfigurationRefused || isAmong([...EXPECTED_ERRORS, ...expected]);
  return entry.level === 'error' && isReason;
}
