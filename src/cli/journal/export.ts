import type { JournalReader, QuarantinedRecord } from '../../journal/contract.js';
import { letterJson } from '../../model/dead-letter.js';
import { formatIpv4 } from '../../model/ipv4.js';
import { RowBatch, SINCE, TAG, unpackRow, WORDS_PER_ROW } from '../../model/row.js';
import { readPartitions } from '../journal-content.js';
import { EXIT_FAILED, type Terminal } from '../terminal.js';
import { Lines } from './lines.js';

export interface ExportOptions {
  readonly format: 'jsonl' | 'csv';
  readonly deadLetters?: boolean;
  readonly quarantine?: boolean;
  readonly modid?: number;
  readonly cmdid?: number;
}

type Fields = Readonly<Record<string, unknown>>;

const ROW = ['modid', 'cmdid', 'ip', 'port', 'caller', 'succ', 'err', 'ts', 'overload', 'peer'];
const COLUMNS = {
  pending: [...ROW, 'since'],
  deadLetters: [...ROW, 'code', 'message', 'count', 'firstAt', 'lastAt'],
  quarantine: ['at', 'epoch', 'partition', 'sequence', 'error', 'rows', 'bytes'],
};

/** `journal export`: rows as lines on stdout, as fast as they are taken. */
export async function exportJournal(
  reader: JournalReader,
  terminal: Terminal,
  options: ExportOptions,
): Promise<void> {
  const lines = new Lines();
  const what = options.quarantine ? 'quarantine' : options.deadLetters ? 'deadLetters' : 'pending';
  const columns = COLUMNS[what];
  if (options.format === 'csv') await lines.write(columns.join());
  for await (const fields of fieldsOf(what, reader, terminal, options)) {
    await lines.write(options.format === 'csv' ? csvLine(columns, fields) : JSON.stringify(fields));
  }
  await lines.flush();
}

function fieldsOf(
  what: keyof typeof COLUMNS,
  reader: JournalReader,
  terminal: Terminal,
  options: ExportOptions,
): AsyncIterable<Fields> {
  switch (what) {
    case 'pending':
      return pendingRows(reader, terminal, options);
    case 'deadLetters':
      return deadLetters(reader, options);
    case 'quarantine':
      return quarantined(reader);
  }
}

type Service = Pick<ExportOptions, 'modid' | 'cmdid'>;

const isMeant = (of: Service, { modid, cmdid }: Service) =>
  (modid === undefined || modid === of.modid) && (cmdid === undefined || cmdid === of.cmdid);

/** By partition, then by primary key. What is damaged is listed on stderr, and the export fails. */
async function* pendingRows(
  reader: JournalReader,
  terminal: Terminal,
  filter: Service,
): AsyncGenerator<Fields> {
  for await (const { survey, pending } of readPartitions(reader)) {
    for (const { place, problem } of survey.problems) {
      terminal.note(`error: ${place}: ${problem}`);
      terminal.exitCode = EXIT_FAILED;
    }
    const pass = pending.pass();
    while (!pass.order());
    for (let chunk = pass.next(1000); chunk; chunk = pass.next(1000)) {
      for (let at = 0; at < chunk.rows.words.length; at += WORDS_PER_ROW) {
        const fields = rowFields(reader, chunk.rows.words, at);
        if (isMeant(fields, filter)) yield fields;
      }
    }
  }
}

function rowFields(reader: JournalReader, words: Int32Array, at: number) {
  const row = unpackRow(words, at);
  return {
    ...row,
    ip: formatIpv4(row.ip),
    caller: formatIpv4(row.caller),
    peer: reader.peers.address(words[at + TAG]! >>> 1),
    since: new Date((words[at + SINCE]! >>> 0) * 1000).toISOString(),
  };
}

async function* deadLetters(reader: JournalReader, filter: Service): AsyncGenerator<Fields> {
  for await (const { deadLetter } of reader.storedDeadLetters())
    if (isMeant(deadLetter.row, filter)) yield { ...letterJson(deadLetter) };
}

/** Each record with its bytes in base64, and its rows when they can be read. */
async function* quarantined(reader: JournalReader): AsyncGenerator<Fields> {
  for await (const record of reader.quarantine()) {
    const { at, epoch, partition, sequence, error, bytes } = record;
    yield {
      ...{ at: new Date(at).toISOString(), epoch, partition, sequence, error },
      rows: rowsOf(reader, record),
      bytes: Buffer.from(bytes).toString('base64'),
    };
  }
}

function rowsOf(reader: JournalReader, { record }: QuarantinedRecord): readonly Fields[] | null {
  if (!record) return null;
  const { words } = new RowBatch(record.rows);
  // Records do not carry since when their rows wait: that is when they were journaled.
  return Array.from({ length: words.length / WORDS_PER_ROW }, (_, index) => {
    const { since: _since, ...fields } = rowFields(reader, words, index * WORDS_PER_ROW);
    return fields;
  });
}

function csvLine(columns: readonly string[], fields: Fields): string {
  return columns.map((column) => csvField(fields[column])).join();
}

/** As RFC 4180 has it; overload as the table holds it. */
function csvField(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
