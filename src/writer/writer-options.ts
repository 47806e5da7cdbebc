import type { PartitionJournal } from '../journal/contract.js';
import type { RowFeed } from '../model/row-feed.js';
import type { EventSink } from '../observe/events.js';
import type { StoreHealth } from '../observe/store-health.js';
import type { RouterMessage } from '../routing/protocol.js';
import type { ActorRef } from '../runtime/actors.js';
import type { StoreWriter } from '../store/contract.js';
import type { StepHook } from './steps.js';

/** From the sections `writers` and `journal` of the configuration. */
export interface WriterLimits {
  /** Rows in one statement, at most. */
  readonly maxBatchRows: number;
  /** A snapshot is due when the records behind the last one take more than this, and four times what is pending. */
  readonly snapshotBytes: number;
  /**
   * Pending keys beyond which a batch that would add keys is not taken in. What is in the journal is never refused,
   * nor a batch when nothing is pending but rows that are set aside, nor dead letters that are replayed.
   */
  readonly maxKeys: number;
  /** A stored key is written again after so many milliseconds at the earliest, unless its flag `overload` changes. */
  readonly rewriteMs: number;
  /** Stored keys that are remembered for that, at most. */
  readonly maxRemembered: number;
}

/** Who decides when a crashed writer is rebuilt. */
export interface Restarts {
  /**
   * The writer has crashed and everything it had under way has settled; it is rebuilt when this resolves. `hasPutAside`:
   * the record that crashed it was put into quarantine.
   */
  crashed(partition: number, error: Error, hasPutAside: boolean): Promise<void>;
  /** The writer has its state (again) and goes on. */
  recovered(partition: number): void;
}

export interface WriterOptions {
  readonly partition: number;
  readonly journal: PartitionJournal;
  readonly store: StoreWriter;
  readonly health: StoreHealth;
  readonly router: ActorRef<RouterMessage>;
  readonly limits: WriterLimits;
  readonly restarts: Restarts;
  readonly events: EventSink;
  /** Where copies of journaled batches go; nowhere unless given. */
  readonly feed?: RowFeed;
  /** Asked once a batch: whether it is to be followed until the store has it. None is unless given. */
  readonly isFollowed?: (() => boolean) | undefined;
  readonly atStep?: StepHook | undefined;
}
