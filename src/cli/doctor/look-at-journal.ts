import path from 'node:path';
import type { Config } from '../../config/index.js';
import type { JournalReader } from '../../journal/contract.js';
import { readJournal } from '../../journal/open.js';
import { ReporterError } from '../../model/errors.js';
import { critical, type Finding, notice, ok, warning } from '../../model/finding.js';
import { readPartitions } from '../journal-content.js';
import { seen } from './seen.js';

/** A journal as it is found, with the reporter that uses it up or down. */
export interface JournalSeen {
  readonly findings: readonly Finding[];
  /** Its id, where no reporter has it in use. */
  readonly idle: string | undefined;
  readonly isInUse: boolean;
}

/** Longer ones are not read through: it takes long, and a reporter that starts meanwhile would wait. */
const READ_BYTES = 128 * 2 ** 20;
const DAY_S = 86_400;

/** Looks into the journal, briefly. */
export async function lookAtJournal({ journal: { dir }, writers }: Config): Promise<JournalSeen> {
  if (!seen(path.join(dir, 'data.mdb'))) {
    const none = ok('journal', `${dir} holds none yet, as far as this user may look`);
    return { findings: [none], idle: undefined, isInUse: false };
  }
  try {
    const reader = await readJournal(dir);
    try {
      return { findings: await judgeJournal(reader, writers.count), idle: reader.id, isInUse: false };
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (!(error instanceof ReporterError)) throw error;
    return { findings: [refused(error)], idle: undefined, isInUse: error.code === 'JOURNAL_IN_USE' };
  }
}

function refused({ code, message }: ReporterError): Finding {
  switch (code) {
    case 'JOURNAL_IN_USE':
      return ok('journal', 'it is in use, as it should be while a reporter runs');
    case 'JOURNAL_VERSION':
      return critical(
        'journal-version',
        message,
        'start the version that wrote it, let it drain, then change versions: docs/operations.md#upgrade-and-roll-back',
      );
    default:
      return critical(
        'journal-unusable',
        message,
        'docs/operations.md#a-damaged-journal says what can be saved; do not delete it',
      );
  }
}

async function judgeJournal(reader: JournalReader, writers: number): Promise<Finding[]> {
  const { format, layout, fileBytes, deadLetters } = reader;
  const size = `format ${format}, ${layout.writers} partitions, ${Math.ceil(fileBytes / 2 ** 20)} MiB`;
  const findings: Finding[] = [];
  if (layout.writers !== writers)
    findings.push(
      notice(
        'partitions-change',
        `the journal has ${layout.writers} partitions, writers.count is ${writers}`,
        'nothing: the next start moves what is pending, and loses nothing',
      ),
    );
  if (deadLetters.size > 0)
    findings.push(
      warning(
        'dead-letters',
        `${deadLetters.size} keys whose newest value the database refused`,
        'lars-reporter dead-letters list; after the reason is gone replay, else drop',
      ),
    );
  let quarantined = 0;
  for await (const _ of reader.quarantine()) quarantined++;
  if (quarantined > 0)
    findings.push(
      warning(
        'quarantine',
        `${quarantined} records are kept aside`,
        'lars-reporter journal export --quarantine shows what they hold; look at the disk',
      ),
    );
  if (fileBytes > READ_BYTES)
    return [ok('journal', `${size}; it is large, and was not read through`), ...findings];
  return [...(await judgeContent(reader, size)), ...findings];
}

async function judgeContent(reader: JournalReader, size: string): Promise<Finding[]> {
  let [pending, damaged, oldestS] = [0, 0, Number.POSITIVE_INFINITY];
  for await (const { pending: rows, survey } of readPartitions(reader)) {
    pending += rows.keys;
    damaged += survey.problems.length;
    oldestS = Math.min(oldestS, rows.oldestSince ?? Number.POSITIVE_INFINITY);
  }
  const findings = [ok('journal', `${size}, ${pending} rows pending`)];
  if (damaged > 0)
    findings.push(
      critical(
        'journal-damaged',
        `${damaged} places of the journal are damaged`,
        'lars-reporter journal verify names them; the next start puts them into quarantine and goes on; look at the disk',
      ),
    );
  const ageS = Date.now() / 1000 - oldestS;
  if (pending > 0 && ageS > DAY_S)
    findings.push(
      warning(
        'old-rows',
        `the oldest pending row has waited for ${Math.round(ageS / DAY_S)} days`,
        'start the reporter: it stores them, where nothing newer is reported meanwhile',
      ),
    );
  return findings;
}
