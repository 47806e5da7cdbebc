import type { Refusal } from '../journal/lmdb/dead-letters.js';
import type { JournalEvent, PartitionJournal } from '../journal/lmdb/partition.js';
import { EMPTY_RECORD, type JournalEntry, type JournalRecord } from '../journal/record.js';
import type { StoreError } from '../model/errors.js';
import { type RowBatch, WORDS_PER_KEY } from '../model/row.js';
import type { Ledger } from '../model/status.js';
import { until } from '../model/wait.js';
import { Account } from '../partition/account.js';
import { applyRecord, replayRecord } from '../partition/apply.js';
import { settleDeadLetters } from '../partition/dead-letters.js';
import { type Chunk, PendingRows } from '../partition/pending.js';
import type { Batch, LetterRequest, RouterMessage, WriterMessage } from '../routing/protocol.js';
import { type ActorRef, type ParentRef, spawnPersistent, tell } from '../runtime/actors.js';
import type { StoreWriter } from '../store/contract.js';
import { FlushLoop, MAX_UNCHECKED } from './flush.js';
import type { StepHook, WriterStep } from './steps.js';

/** An idle writer cuts off its journal after this many records; a busy one by bytes, see `writers` in config. */
const IDLE_EVENTS = 256;
/** Crashes in a row on one record after which it is taken out of the way. */
const QUARANTINE_AFTER = 3;
/**
 * A checkpoint waits this long for a batch to be journaled with: under load, a commit of its own for each statement
 * would take more than the statement. Nothing depends on it but how much is sent again after a crash.
 */
const CHECKPOINT_DELAY_MS = 4;
/** Statements a checkpoint does not wait beyond: half of what flushing goes on without one. */
const CHECKPOINT_AFTER = MAX_UNCHECKED / 2;
/** What is left of a writer that ends gets this long. */
const END_MS = 1000;
/**
 * Bytes of records to one of what is pending: a snapshot writes the latter to be rid of the former. While a backlog
 * drains, it is soon so small that the snapshot costs little.
 */
const RECORDS_TO_PENDING = 4;
/** Most records behind a snapshot: what a restart may have to replay. */
const MAX_EVENTS = 50_000;

export interface WriterOptions {
  readonly partition: number;
  readonly journal: PartitionJournal;
  readonly store: StoreWriter;
  readonly router: ActorRef<RouterMessage>;
  readonly maxBatchRows: number;
  /** A snapshot is due when the records behind the last one take more than this, and four times what is pending. */
  readonly snapshotBytes: number;
  readonly atStep?: StepHook | undefined;
  readonly onFlush?: (rows: number, seconds: number) => void;
  /** A statement failed. */
  readonly onStoreFailure: (error: StoreError) => void;
  /** The store takes nothing for this reason; undefined: it takes rows again. */
  readonly onStoreState: (error: StoreError | undefined) => void;
  /** These rows take longer than a statement may, others do not; they are tried again after `pauseMs`. */
  readonly onSetAside: (rows: RowBatch, error: StoreError, pauseMs: number) => void;
  /** The store refuses a row for what it holds; it is a dead letter now. */
  readonly onRefused: (error: StoreError) => void;
  /** A snapshot failed; another is tried later. */
  readonly onSnapshotError: (error: Error) => void;
  /** The writer has its state (again) and goes on. */
  readonly onRecovered: () => void;
  /** The writer has crashed and everything it had under way has settled; it is rebuilt when this resolves. */
  readonly onCrash: (error: Error) => Promise<void>;
}

/** A writer as its supervisor sees it. */
export interface Writer {
  readonly ref: ActorRef<WriterMessage>;
  ledger(): Ledger;
  /** Epoch second since which the oldest pending key waits. */
  oldestSince(): number | undefined;
  /**
   * Ends flushing when the statement in flight has settled, for this incarnation and any that may follow. When
   * nothing is pending, the journal is cut off, so that the next start has nothing to replay. To be called before
   * the actor is stopped; a journal that cannot be written holds it up for a second.
   */
  end(): Promise<void>;
}

/** A chunk the store has confirmed, or, being a single row, refused. */
interface Settled {
  readonly chunk: Chunk;
  readonly refusal?: StoreError;
}

/** What an incarnation knows; rebuilt from the journal after each crash. */
interface State {
  readonly incarnation: number;
  readonly pending: PendingRows;
  /** Sequence of the last record applied. */
  sequence: number;
  /** Last batch that is in the journal. */
  batchId: number;
  flush: FlushLoop | undefined;
  /** Confirmed or refused by the store, named by no checkpoint yet. */
  settled: Settled[];
  /** Sequence of the event that is being replayed. */
  replaying: number | undefined;
  snapshot: Promise<void> | undefined;
  /** What is being done with dead letters. */
  letters: LetterRequest | undefined;
  /** It has replayed the journal: what it holds is what is pending. */
  recovered: boolean;
  /** It has crashed: what it still has under way changes no count. */
  crashed: boolean;
}

/**
 * Spawns the persistent actor of one partition: a durable last-write-wins map.
 *
 *     batch ──▶ persist (fsync) ──▶ fold ──▶ "journaled" to the router
 *                  ▲                 │
 *     "flushed" ───┘ checkpoint      ▼
 *         ▲                       pending ──pass──▶ chunk ──▶ store
 *         └──────────────────────────────────────────────────┘
 *
 * The rows are folded, and confirmed ones removed, only by applying a record that is in the journal; recovery
 * applies the same records in the same order, and so comes to the same map. What outlives an incarnation is the
 * account: counts are tied to the sequence of the record that caused them, so that a replay counts nothing twice.
 */
export function spawnWriter(parent: ParentRef, options: WriterOptions): Writer {
  const { partition, journal, router } = options;
  const account = new Account();
  const stumbling = new Stumbling();
  let incarnations = 0;
  let current: State;
  let isEnding = false;
  /** Where the keys of a checkpoint are gathered; there is one at a time. */
  const confirmedKeys = new Int32Array(CHECKPOINT_AFTER * options.maxBatchRows * WORDS_PER_KEY);
  const atStep = (step: WriterStep) => options.atStep?.(step, partition);

  const startFlushing = (state: State) => {
    const { incarnation, pending } = state;
    const isCurrent = () => current === state && !state.crashed;
    const settle = (settled: Settled) => {
      if (!isCurrent()) return;
      state.settled.push(settled);
      const due = () => tell(ref, { kind: 'flushed', incarnation });
      if (state.settled.length === 1) setTimeout(due, CHECKPOINT_DELAY_MS);
      else if (state.settled.length === CHECKPOINT_AFTER) due();
    };
    state.flush = new FlushLoop({
      pending,
      store: options.store,
      maxRows: options.maxBatchRows,
      atStep,
      onFlushed: (chunk, seconds) => {
        options.onFlush?.(chunk.rows.length, seconds);
        settle({ chunk });
      },
      onRefused: (chunk, refusal) => {
        options.onRefused(refusal);
        settle({ chunk, refusal });
      },
      onReleased: (replaced) => {
        if (!isCurrent()) return;
        account.counts.coalesced += replaced;
        account.rest(pending);
      },
      onFailure: options.onStoreFailure,
      onStoreState: options.onStoreState,
      onSetAside: options.onSetAside,
      onCrash: (error) => tell(ref, { kind: 'crashed', incarnation, error }),
    });
  };

  /** Journals a batch, a checkpoint of what was flushed, or both in one record, and applies it. */
  const commit = async (state: State, batch: Batch | undefined, persist: Persist) => {
    const { settled } = state;
    state.settled = [];
    if (settled.length > 0) atStep('checkpoint');
    const entry = entryOf(state, batch, settled, confirmedKeys);
    const sequence = await persist(entry);
    atStep('after-persist');
    applied(state, sequence, entry.record);
    state.flush?.checked(settled.length);
  };

  /** Applies a record that is in the journal now. */
  const applied = (state: State, sequence: number, record: JournalRecord) => {
    const changes = applyRecord(state.pending, record);
    advance(state, sequence, record);
    account.count(sequence, record, changes);
    account.rest(state.pending);
  };

  /** Replays dead letters: as a record of their own, so that it settles nothing else; see `redeliver`. */
  const settleLetters = async (state: State, request: LetterRequest, persist: Persist) => {
    if (request.isAbandoned()) return;
    state.letters = request;
    request.done(
      await settleDeadLetters(request, {
        journal,
        isPending: (key) => state.pending.has(key, 0),
        commit: async (entry) => {
          atStep('before-persist');
          const sequence = await persist(entry);
          atStep('after-persist');
          applied(state, sequence, entry.record);
          state.flush?.wake();
        },
      }),
    );
    state.letters = undefined;
  };

  const ref = spawnPersistent<State, WriterMessage, JournalEvent, JournalEntry>(parent, {
    name: `writer-${partition}`,
    key: `lars-reporter-${partition}`,
    log: journal,
    initial: () => {
      current = {
        incarnation: ++incarnations,
        pending: new PendingRows(),
        sequence: 0,
        batchId: 0,
        flush: undefined,
        settled: [],
        replaying: undefined,
        snapshot: undefined,
        letters: undefined,
        recovered: false,
        crashed: false,
      };
      return current;
    },
    replay: (state, event, sequence) => {
      state.replaying = sequence;
      atStep('recovery');
      if (event.kind === 'base') state.batchId = event.batchId;
      else if (event.kind === 'rows') state.pending.restore(event.rows);
      else {
        const applied = replayRecord(state.pending, event.record);
        advance(state, sequence, event.record);
        account.replayed(sequence, event.record, applied);
      }
      state.sequence = sequence;
      // From here to the next event it is the journal that fails, if anything does.
      state.replaying = undefined;
    },
    recovered: (state) => {
      state.recovered = true;
      account.recovered(state.pending, state.sequence);
      if (!isEnding) startFlushing(state);
      options.onRecovered();
      tell(router, { kind: 'ready', partition, batchId: state.batchId });
    },
    receive: async (state, message, persist) => {
      switch (message.kind) {
        case 'batch':
          // Handed over a second time after a crash that it had survived.
          if (!message.batch.isJournaled && message.batch.id > state.batchId) {
            atStep('before-persist');
            await commit(state, message.batch, persist);
          }
          tell(router, { kind: 'journaled', partition, batchId: message.batch.id });
          break;
        case 'letters':
          await settleLetters(state, message.request, persist);
          break;
        case 'flushed':
          if (message.incarnation !== state.incarnation || state.settled.length === 0) return;
          await commit(state, undefined, persist);
          break;
        case 'crashed':
          if (message.incarnation === state.incarnation) throw message.error;
          return;
      }
      snapshotWhenDue(state);
    },
    onCrash: async (error, state) => {
      state.crashed = true;
      state.letters?.failed();
      // No statement of the old incarnation may be on its way when the next one sends newer rows.
      await settle(state);
      if (isEnding) return;
      if (stumbling.over(state.replaying)) await journal.quarantine(state.replaying!, error);
      await options.onCrash(error);
    },
  });

  const snapshotWhenDue = (state: State) => {
    const { bytes, events } = journal.sinceSnapshot;
    const idle = state.pending.keys === 0 && events >= IDLE_EVENTS;
    const wanted = Math.max(options.snapshotBytes, RECORDS_TO_PENDING * state.pending.bytes);
    const large = bytes > wanted || events > MAX_EVENTS;
    if ((!idle && !large) || state.snapshot || isEnding) return;
    atStep('snapshot');
    void takeSnapshot(state, () => current !== state || state.crashed || isEnding);
  };

  const takeSnapshot = (state: State, isStale: () => boolean): Promise<void> => {
    const run = async () => {
      try {
        await journal.snapshot(state.sequence, state.batchId, state.pending, isStale);
      } catch (error) {
        options.onSnapshotError(error instanceof Error ? error : new Error(String(error)));
      }
      state.snapshot = undefined;
    };
    state.snapshot = run();
    return state.snapshot;
  };

  const settle = async (state: State) => {
    await state.flush?.stop();
    await state.snapshot;
  };

  return {
    ref,
    ledger: () => account.counts.ledger(account.held),
    oldestSince: () => current.pending.oldestSince,
    end: async () => {
      isEnding = true;
      await settle(current);
      // The checkpoint of the last statement may be on its way through the mailbox, and a crash through its rebuild.
      const state = current;
      const deadlineMs = performance.now() + END_MS;
      await until(() => state.settled.length === 0 || state.crashed || !state.recovered, END_MS);
      const isStale = () => current !== state || state.crashed || performance.now() > deadlineMs;
      if (!state.recovered || isStale() || state.pending.keys > 0) return;
      if (journal.sinceSnapshot.events > 0) await takeSnapshot(state, isStale);
    },
  };
}

type Persist = (entry: JournalEntry) => Promise<number>;

/** Notices a writer that crashes on the same record again and again. */
class Stumbling {
  #sequence: number | undefined;
  #times = 0;

  /** Records a crash while `sequence` was replayed, if any was. True when it is to go into quarantine. */
  over(sequence: number | undefined): boolean {
    this.#times = sequence === this.#sequence ? this.#times + 1 : 1;
    this.#sequence = sequence;
    return sequence !== undefined && this.#times >= QUARANTINE_AFTER;
  }
}

function entryOf(
  state: State,
  batch: Batch | undefined,
  settled: readonly Settled[],
  confirmedKeys: Int32Array,
): JournalEntry {
  const stored = settled.filter(({ refusal }) => !refusal).map(({ chunk }) => chunk);
  const refused = settled.filter(({ refusal }) => refusal);
  const confirmed = state.pending.unchangedKeys(stored, confirmedKeys);
  const dead = state.pending.unchangedKeys(refused.map(({ chunk }) => chunk));
  const sent = stored.reduce((rows, chunk) => rows + chunk.rows.length, 0);
  const record: JournalRecord = {
    ...EMPTY_RECORD,
    at: Date.now(),
    confirmed,
    superseded: sent - confirmed.length / WORDS_PER_KEY,
    refused: dead,
    refusedSuperseded: refused.length - dead.length / WORDS_PER_KEY,
    ...(batch ? { batchId: batch.id, received: batch.received, rows: batch.rows } : {}),
  };
  const refusals: Refusal[] = refused.map(({ chunk, refusal }) => ({
    words: chunk.rows.words,
    code: refusal!.code,
    message: refusal!.message,
  }));
  return { record, refusals };
}

function advance(state: State, sequence: number, record: JournalRecord): void {
  state.sequence = sequence;
  if (record.batchId > 0) state.batchId = record.batchId;
}
