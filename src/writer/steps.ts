/**
 * The moments of a writer's life at which it may crash: where fault-injection tests step in.
 *
 * - `before-persist`: a batch was taken from the mailbox, nothing is durable yet.
 * - `after-persist`: it is durable, neither applied nor acknowledged.
 * - `flush`: a chunk is about to be sent to the store.
 * - `flushed`: the store confirmed it, no checkpoint says so yet.
 * - `checkpoint`: the checkpoint is about to be journaled.
 * - `snapshot`: a snapshot is about to be taken.
 * - `recovery`: an event of the journal is about to be applied.
 */
export type WriterStep =
  | 'before-persist'
  | 'after-persist'
  | 'flush'
  | 'flushed'
  | 'checkpoint'
  | 'snapshot'
  | 'recovery';

/** Called at each step; what it throws crashes the writer there. */
export type StepHook = (step: WriterStep, partition: number) => void;
