import type { DeadLetterOutcome } from '../model/dead-letter.js';
import type { DeadLetterOrder } from '../partition/dead-letters.js';

/** The messages between actors. Between connection, router and writers go batches, never single rows. */

/**
 * A claim on the agent's patience: what was read from a socket, or told by somebody in the process, is paid back
 * when all its rows are journaled. The router raises `outstanding` for each partition that rows of it fall on.
 */
export interface Credit {
  outstanding: number;
  /** Whether the sender sends nothing more before it is paid back: its rows do not wait for others to go along with. */
  readonly isAwaited: boolean;
  /** Called once, when everything is journaled. */
  readonly settled: () => void;
}

/** Rows on their way to one writer, merged where that pays. */
export interface Batch {
  /** Rises by one with each batch of the partition, also over restarts; journaled with the batch. */
  readonly id: number;
  /** Rows it stands for, merged ones included. */
  readonly received: number;
  /** Packed, in memory of the router's: valid until the batch is reported journaled. */
  readonly rows: Int32Array;
  readonly credits: readonly Credit[];
  /** When the first of its rows was read, on the clock of `performance.now()`. */
  readonly sinceMs: number;
  /**
   * It was reported journaled, and its rows are void. A crash may leave a second copy in the writer's mailbox; should
   * the record be found damaged by then, nothing else would tell that copy from a batch that is still to be journaled.
   */
  isJournaled: boolean;
}

/** What a writer is to do with some of its dead letters. Lost when the writer crashes on it, the letters are not. */
export interface LetterRequest extends DeadLetterOrder {
  /** Nobody waits for it any more: it is left undone. */
  isAbandoned(): boolean;
  /** It is done, and durable. */
  done(outcome: DeadLetterOutcome): void;
  /** Its writer has crashed meanwhile; it may be done or not, and may be asked for again. */
  failed(): void;
}

export type RouterMessage =
  /** There are rows in the inbox. */
  | { readonly kind: 'rows' }
  /** The writer is up (again) and its journal ends with this batch. */
  | { readonly kind: 'ready'; readonly partition: number; readonly batchId: number }
  /** The batch is durable. */
  | { readonly kind: 'journaled'; readonly partition: number; readonly batchId: number }
  /** The writer has no room for the keys of the batch it was handed. It tells when it has: `room`. */
  | { readonly kind: 'full'; readonly partition: number; readonly batchId: number }
  /** The writer has room again for the batch that it had none for. */
  | { readonly kind: 'room'; readonly partition: number };

export type WriterMessage =
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** Dead letters of the partition are to be replayed or dropped. */
  | { readonly kind: 'letters'; readonly request: LetterRequest }
  /** The store confirmed chunks since the last checkpoint; stale when the incarnation has gone. */
  | { readonly kind: 'flushed'; readonly incarnation: number }
  /** Something this incarnation had under way failed for a reason that is no store's. */
  | { readonly kind: 'crashed'; readonly incarnation: number; readonly error: Error };
