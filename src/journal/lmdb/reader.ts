import { statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { checkDataFile } from '../../lmdb/data-file.js';
import { lockJournalToRead } from '../../lmdb/lock.js';
import { openView } from '../../lmdb/view.js';
import type { DeadLetter } from '../../model/dead-letter.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import { JOURNAL_FORMAT } from '../record.js';
import { DeadLetters } from './dead-letters.js';
import { otherFormat } from './format.js';
import { PeerTable } from './peers.js';
import { type PartitionSurvey, type Survey, surveyPartition } from './survey.js';
import { type Databases, type Layout, openDatabases, type Quarantined } from './tables.js';

/** A record in quarantine, and when it came there. */
export interface QuarantinedRecord extends Quarantined {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly epoch: number;
}

/**
 * The journal of a stopped reporter, opened to be read: nothing of it is changed. Holds the lock, so that no reporter
 * starts on it meanwhile.
 */
export class JournalReader {
  readonly dir: string;
  readonly format: number;
  readonly id: string;
  readonly layout: Layout;
  /** Bytes of the data file. */
  readonly fileBytes: number;
  readonly peers: PeerTable;
  readonly deadLetters: DeadLetters;
  readonly #environment: RootDatabase;
  readonly #databases: Databases;
  readonly #release: () => void;

  /**
   * Throws ReporterError: JOURNAL_UNUSABLE when there is no journal in `dir` or it cannot be read, JOURNAL_IN_USE,
   * JOURNAL_VERSION.
   */
  static open(dir: string): JournalReader {
    requireJournal(dir);
    const release = lock(dir);
    try {
      checkDataFile(join(dir, 'data.mdb'));
      return new JournalReader(dir, release);
    } catch (error) {
      release();
      throw error instanceof ReporterError ? error : unreadable(dir, error);
    }
  }

  private constructor(dir: string, release: () => void) {
    this.dir = dir;
    this.#release = release;
    this.fileBytes = statSync(join(dir, 'data.mdb')).size;
    const environment = openView(dir, (path) => open({ path, maxDbs: 8, noSubdir: false, readOnly: true }));
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
      this.layout = databases.meta.get('layout') as Layout;
      this.peers = new PeerTable(databases.peers);
      this.deadLetters = new DeadLetters(databases.deadLetters, this.peers);
    } catch (error) {
      void environment.close();
      throw error;
    }
  }

  /** Reads a partition of the present layout; see `surveyPartition`. */
  survey(partition: number, onEvent: Survey['onEvent']): PartitionSurvey {
    return surveyPartition({ tables: this.#databases, epoch: this.layout.epoch, partition, onEvent });
  }

  /** Entries that belong to no partition of the layout: a change of it was interrupted. The next one removes them. */
  get strayEntries(): number {
    const { epoch, writers } = this.layout;
    return [this.#databases.events, this.#databases.snapshots, this.#databases.heads]
      .map((table) => table.getKeysCount() - table.getKeysCount({ start: [epoch], end: [epoch, writers] }))
      .reduce((sum, count) => sum + count, 0);
  }

  /** Records in quarantine, oldest first. */
  *quarantine(): Generator<QuarantinedRecord> {
    for (const { key, value } of this.#databases.quarantine.getRange())
      yield { ...value, at: key[0]!, epoch: key[1]! };
  }

  /** Dead letters as they are stored, by primary key. */
  *storedLetters(): Generator<{ readonly key: readonly number[]; readonly letter: DeadLetter }> {
    for (const { key, value } of this.#databases.deadLetters.getRange()) yield { key, letter: value };
  }

  /** Number of peers known. */
  get peerCount(): number {
    return this.#databases.peers.getKeysCount();
  }

  async close(): Promise<void> {
    await this.#environment.close();
    this.#release();
  }
}

/** Throws JOURNAL_UNUSABLE when the folder holds no journal: opening would make one. */
export function requireJournal(dir: string): void {
  try {
    statSync(join(dir, 'data.mdb'));
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
