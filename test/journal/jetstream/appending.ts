import type { PartitionJournal } from '../../../src/journal/contract.js';
import { RowBatch } from '../../../src/model/row.js';
import { numbered } from '../numbered.js';
import { type Replay, replay } from '../replay.js';

const SNAPSHOT_EVERY = 37;

/** A writer that appends numbered records as fast as it can, with snapshots meanwhile, until it is stopped. */
export class Appending {
  /** Last record that was acknowledged. */
  acknowledged = 0;
  /** Snapshots that were published. */
  snapshots = 0;
  readonly #partition: PartitionJournal;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(partition: PartitionJournal) {
    this.#partition = partition;
  }

  /** Resolves when the partition is replayed. What the appends reject with, `stop` rejects with. */
  async start(): Promise<void> {
    const { pending, last } = await replay(this.#partition);
    this.acknowledged = last;
    this.#running = this.#run(pending, last);
    this.#running.catch(() => {});
  }

  async #run(pending: Replay['pending'], last: number): Promise<void> {
    let snapshot: Promise<unknown> | undefined;
    for (let sequence = last + 1; !this.#isStopped; sequence++) {
      const { record, refusals } = numbered(sequence);
      await this.#partition.append(sequence, { record, refusals });
      this.acknowledged = sequence;
      pending.confirm(record.confirmed, 0);
      pending.fold(record.rows, 1);
      if (sequence % SNAPSHOT_EVERY !== 0 || snapshot) continue;
      snapshot = this.#partition
        .snapshot(sequence, sequence, pending, () => false)
        .then(() => this.snapshots++)
        .finally(() => {
          snapshot = undefined;
        });
      snapshot.catch(() => {});
    }
    await snapshot;
  }

  /** Rejects when an append does. */
  async failure(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }
}

/** What a partition holds: value by key. */
export function tableOf({ pending }: Replay): Map<number, number> {
  const rows = [...new RowBatch(pending.copySlots(0, pending.slotEnd))];
  return new Map(rows.map(({ modid, succ }) => [modid, succ] as const).sort(([a], [b]) => a - b));
}

export const sorted = (table: ReadonlyMap<number, number>) => new Map([...table].sort(([a], [b]) => a - b));
