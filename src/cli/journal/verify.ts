import type { JournalProblem, JournalReader } from '../../journal/contract.js';
import { messageOf } from '../../model/errors.js';
import { RowBatch, WORDS_PER_KEY } from '../../model/row.js';
import { readPartitions } from '../journal-content.js';
import { EXIT_FAILED, type Terminal } from '../terminal.js';

/** `journal verify`: whether all of the journal can be read and replayed; where not, and why. */
export async function verifyJournal(
  reader: JournalReader,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  const problems: JournalProblem[] = [];
  const totals = { partitions: reader.layout.writers, records: 0, pending: 0, deadLetters: 0, quarantine: 0 };
  for await (const { survey, pending } of readPartitions(reader)) {
    problems.push(...survey.problems);
    totals.records += survey.records.count;
    totals.pending += pending.keys;
  }
  totals.deadLetters = await counted('dead letters', deadLettersRead(reader, problems), problems);
  totals.quarantine = await counted('quarantine', reader.quarantine(), problems);
  const sound = problems.length === 0;
  if (!sound) terminal.exitCode = EXIT_FAILED;
  if (isJson) {
    terminal.print(JSON.stringify({ dir: reader.dir, sound, problems, ...totals }, null, 2));
    return;
  }
  for (const { place, problem } of problems) terminal.print(`${place}: ${problem}`);
  const { partitions, records, pending, deadLetters, quarantine } = totals;
  const content =
    `${partitions} partitions, ${records} records, ${pending} pending rows, ${deadLetters} dead letters, ` +
    `${quarantine} records in quarantine`;
  if (sound) terminal.print(`the journal ${reader.dir} is sound: ${content}`);
  else {
    terminal.note(
      `error: the journal ${reader.dir} has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}; ` +
        `what can be read: ${content}. A reporter that starts on it puts damaged records into quarantine and goes on`,
    );
  }
}

async function* deadLettersRead(reader: JournalReader, problems: JournalProblem[]): AsyncGenerator<void> {
  for await (const { key, deadLetter } of reader.storedDeadLetters()) {
    const place = `dead letter ${key.join('/')}`;
    try {
      const own = [...RowBatch.from([deadLetter.row]).words.subarray(0, WORDS_PER_KEY)];
      if (own.join() !== key.join()) problems.push({ place, problem: `holds the row of ${own.join('/')}` });
    } catch (error) {
      problems.push({ place, problem: `cannot be read: ${messageOf(error)}` });
    }
    yield;
  }
}

/** How many there are; one that cannot be read ends the count, and is a problem. */
async function counted(
  place: string,
  entries: AsyncIterable<unknown>,
  problems: JournalProblem[],
): Promise<number> {
  let count = 0;
  try {
    for await (const _ of entries) count++;
  } catch (error) {
    problems.push({ place, problem: `entry ${count + 1} cannot be read: ${messageOf(error)}` });
  }
  return count;
}
