import { Turn } from '../../model/turn.js';
import type { PartitionJournal, Replayed, SnapshotSource, StoredDeadLetter } from '../contract.js';
import type { JournalEntry } from '../record.js';
import type { Place, Shared } from './place.js';
import { Records } from './records.js';
import { Snapshots } from './snapshots.js';
import type { UnmappedPartition } from './unmapped.js';

/** One partition in the tables: its records, and the snapshot before them. */
export class LmdbPartition implements PartitionJournal {
  readonly #place: Place;
  readonly #records: Records;
  readonly #snapshots: Snapshots;

  constructor(shared: Shared, epoch: number, partition: number) {
    this.#place = { ...shared, epoch, partition };
    this.#records = new Records(this.#place);
    this.#snapshots = new Snapshots(this.#place, this.#records);
  }

  /** Last sequence that the snapshot covers; 0 when there is none. */
  get base(): number {
    return this.#snapshots.head.sequence;
  }

  get sinceSnapshot(): { readonly bytes: number; readonly events: number } {
    return { bytes: this.#records.bytes, events: this.#records.count };
  }

  get bytes(): number {
    return this.#records.bytes + this.#snapshots.bytes;
  }

  async *replay(): AsyncGenerator<Replayed> {
    this.#place.commits.requireOpen();
    const { sequence: base, batchId } = this.#snapshots.head;
    const turn = new Turn();
    const unmapped = this.#takeUnmapped();
    this.#records.reset();
    await this.#snapshots.removeStray();
    await this.#records.removeUpTo(base);
    yield { sequence: base, event: { kind: 'base', batchId } };
    for await (const rows of this.#snapshots.read(unmapped)) {
      yield { sequence: base, event: { kind: 'rows', rows } };
      await turn.pause();
    }
    for await (const { sequence, record } of this.#records.read(base, unmapped)) {
      yield { sequence, event: { kind: 'record', record } };
      await turn.pause();
    }
  }

  displaced(): Promise<void> | undefined {
    return this.#place.commits.displaced();
  }

  append(sequence: number, entry: JournalEntry): Promise<void> {
    return this.#records.append(sequence, entry);
  }

  async deadLetter(key: Int32Array): Promise<StoredDeadLetter | undefined> {
    return this.#place.deadLetters.get(key);
  }

  async release(keys: readonly Int32Array[]): Promise<void> {
    if (keys.length === 0) return;
    const { commits, deadLetters, tables } = this.#place;
    await commits.store(0, keys.length, () =>
      tables.events.batch(() => {
        for (const key of keys) deadLetters.remove(key);
      }),
    );
    deadLetters.committed([], keys);
  }

  snapshot(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean> {
    // Written without a replay before it: what was known of the file does not hold any more.
    this.#takeUnmapped();
    return this.#snapshots.take(sequence, batchId, source, isStale);
  }

  quarantine(sequence: number, error: Error): Promise<void> {
    this.#takeUnmapped();
    return this.#records.quarantine(sequence, error);
  }

  #takeUnmapped(): UnmappedPartition | undefined {
    const { unmapped, epoch, partition } = this.#place;
    return unmapped.take(epoch, partition);
  }

  async quarantinedAt(): Promise<number> {
    const { commits, quarantine } = this.#place;
    commits.requireOpen();
    return quarantine.lastAt();
  }
}
