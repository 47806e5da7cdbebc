import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { lockJournalToRead } from '../../lmdb/lock.js';
import { dataFileOf, openEnvironment } from '../../lmdb/open-environment.js';
import { openUnlocked } from '../../lmdb/open-unlocked.js';
import type { DeadLetter } from '../../model/dead-letter.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import type { JournalReader, PartitionSurvey, QuarantinedRecord } from '../contract.js';
import { decodeRecord, JOURNAL_FORMAT, type JournalRecord } from '../record.js';
import { DeadLetterTable } from './dead-letters.js';
import { otherFormat } from './format.js';
import { PeerTable } from './peers.js';
import { type Survey, surveyPartition } from './survey.js';
import { type Databases, MAX_DATABASES, openDatabases, type StoredLayout } from './tables.js';

/** Reads the tables, and holds the lock. */
export class LmdbJournalReader implements JournalReader {
  readonly dir: string;
  readonly format: number;
  readonly id: string;
  readonly layout: StoredLayout;
  readonly fileBytes: number;
  readonly peers: PeerTable;
  readonly deadLetters: DeadLetterTable;
  readonly #environment: RootDatabase;
  readonly #databases: Databases;
  readonly #release: () => void;

  /**
   * Throws ReporterError: JOURNAL_UNUSABLE when there is no journal in `dir` or it cannot be read, JOURNAL_IN_USE,
   * JOURNAL_VERSION.
   */
  static open(dir: string): LmdbJournalReader {
    requireJournal(dir);
    const release = lock(dir);
    try {
      return new LmdbJournalReader(dir, release);
    } catch (error) {
      release();
      throw error instanceof ReporterError ? error : unreadable(dir, error);
    }
  }

  private constructor(dir: string, release: () => void) {
    this.dir = dir;
    this.#release = release;
    this.fileBytes = statSync(dataFileOf(dir)).size;
    const environment = openUnlocked(dir, (path) =>
      openEnvironment({ dir: path, maxDbs: MAX_DATABASES, readOnly: true, hasSmallTrees: true }),
    );
    try {
      this.#environment = environment;
      const databases = openDatabases(environment);
      // Those that are missing are undefined, whatever their type says.
      const format = (databases.meta as Databases['meta'] | undefined)?.get('format');
      if (format === undefined) throw new Error('it holds no journal');
      if (format !== JOURNAL_FORMAT) throw otherFormat(dir, format);
      if (Object.values(databases).includes(undefined))
        throw new Error('it was killed while it was made, and holds nothing');
      this.#databases = databases;
      this.format = format;
      this.id = String(databases.meta.get('id'));
      this.layout = databases.meta.get('layout') as StoredLayout;
      this.peers = new PeerTable(databases.peers);
      this.deadLetters = new DeadLetterTable(databases.deadLetters, this.peers);
    } catch (error) {
      void environment.close();
      throw error;
    }
  }

  async survey(partition: number, onEvent: Survey['onEvent']): Promise<PartitionSurvey> {
    return surveyPartition({ tables: this.#databases, epoch: this.layout.epoch, partition, onEvent });
  }

  get strayEntries(): number {
    const { epoch, writers } = this.layout;
    return [this.#databases.events, this.#databases.snapshots, this.#databases.heads]
      .map((table) => table.getKeysCount() - table.getKeysCount({ start: [epoch], end: [epoch, writers] }))
      .reduce((sum, count) => sum + count, 0);
  }

  async *quarantine(): AsyncGenerator<QuarantinedRecord> {
    for (const { key, value } of this.#databases.quarantine.getRange())
      yield { ...value, at: key[0]!, epoch: key[1]!, record: recordOf(value.bytes) };
  }

  async *storedDeadLetters(): AsyncGenerator<{
    readonly key: readonly number[];
    readonly deadLetter: DeadLetter;
  }> {
    for (const { key, value } of this.#databases.deadLetters.getRange()) yield { key, deadLetter: value };
  }

  get peerCount(): number {
    return this.#databases.peers.getKeysCount();
  }

  async close(): Promise<void> {
    await this.#environment.close();
    this.#release();
  }
}

function recordOf(bytes: Uint8Array): JournalRecord | undefined {
  try {
    return decodeRecord(bytes);
  } catch {
    return undefined;
  }
}

/** Throws JOURNAL_UNUSABLE when the folder holds no journal: opening would make one. */
export function requireJournal(dir: string): void {
  try {
    statSync(dataFileOf(dir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(dir, error);
    throw new ReporterError(
      'JOURNAL_UNUSABLE',
      `there is no journal in ${dir}: name its folder with --dir, or the configuration with --config`,
    );
  }
}

function lock(dir: string): () => void {
  try {
    return lockJournalToRead(join(dir, 'lock'), dir, 'stop that process, and try again');
  } catch (error) {
    throw error instanceof ReporterError ? error : unreadable(dir, error);
  }
}

function unreadable(dir: string, error: unknown): ReporterError {
  return new ReporterError('JOURNAL_UNUSABLE', `the journal ${dir} cannot be read (${messageOf(error)})`, {
    cause: error,
  });
}
