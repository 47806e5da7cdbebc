import type { JournalReader } from '../../journal/contract.js';
import { type PartitionContent, readPartitions } from '../journal-content.js';
import type { Terminal } from '../terminal.js';
import { alignedTable } from '../text-table.js';

/** `journal inspect`: what the journal holds. */
export async function inspectJournal(
  reader: JournalReader,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  const partitions: Summary[] = [];
  for await (const content of readPartitions(reader)) partitions.push(summaryOf(content));
  const { dir, format, id, layout, fileBytes, peerCount: peers, strayEntries } = reader;
  let quarantine = 0;
  for await (const _ of reader.quarantine()) quarantine++;
  const deadLetters = reader.deadLetters.size;
  if (isJson) {
    const all = {
      dir,
      format,
      id,
      layout,
      fileBytes,
      peers,
      deadLetters,
      quarantine,
      strayEntries,
      partitions,
    };
    terminal.print(JSON.stringify(all, null, 2));
    return;
  }
  const count = (key: 'pending' | 'damaged') =>
    partitions.reduce((sum, partition) => sum + partition[key], 0);
  for (const [name, value] of [
    ['journal', dir],
    ['format', format],
    ['id', id],
    ['layout', `${layout.writers} partitions, epoch ${layout.epoch}`],
    ['file', `${fileBytes} bytes`],
    ['peers', peers],
    ['pending', `${count('pending')} rows`],
    ['dead letters', deadLetters],
    ['quarantine', `${quarantine} records`],
  ])
    terminal.print(`${String(name).padEnd(13)} ${value}`);
  terminal.print('');
  terminal.print(tableOf(partitions));
  if (count('damaged') > 0)
    terminal.note(
      'warning: part of the journal is damaged and not in these numbers; journal verify lists it',
    );
}

/** A partition, summed up; pending rows are those of a replay. */
interface Summary {
  readonly partition: number;
  readonly head: { readonly sequence: number; readonly batchId: number };
  readonly snapshot: { readonly pieces: number; readonly rows: number; readonly bytes: number };
  readonly records: {
    readonly count: number;
    readonly bytes: number;
    readonly first: number | null;
    readonly last: number | null;
  };
  readonly pending: number;
  /** ISO 8601; null when nothing is pending. */
  readonly oldestPendingSince: string | null;
  readonly leftovers: number;
  readonly damaged: number;
}

function summaryOf({ survey, pending }: PartitionContent): Summary {
  const { partition, head, snapshot, records, leftovers, problems } = survey;
  const since = pending.oldestSince;
  return {
    partition,
    head: { sequence: head.sequence, batchId: head.batchId },
    snapshot,
    records: { ...records, first: records.first ?? null, last: records.last ?? null },
    pending: pending.keys,
    oldestPendingSince: since === undefined ? null : new Date(since * 1000).toISOString(),
    leftovers,
    damaged: problems.length,
  };
}

function tableOf(partitions: readonly Summary[]): string {
  const header = [
    ...['partition', 'head', 'snapshot rows', 'bytes', 'records', 'bytes', 'sequence'],
    ...['pending', 'waiting since', 'damaged'],
  ];
  const rows = partitions.map(({ partition, head, snapshot, records, pending, ...rest }) => [
    ...[partition, head.sequence, snapshot.rows, snapshot.bytes, records.count, records.bytes],
    records.first === null ? '-' : `${records.first}-${records.last}`,
    ...[pending, rest.oldestPendingSince ?? '-', rest.damaged],
  ]);
  return alignedTable(header, rows);
}
