import type { JournalEvent, SnapshotSource } from '../journal/contract.js';
import type { JournalEntry, JournalRecord } from '../journal/record.js';
import { evenSecond } from '../model/clock.js';
import { errorOf } from '../model/errors.js';
import { WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';
import { NO_FEED, type RowFeed } from '../model/row-feed.js';
import type { Ledger } from '../model/status.js';
import { until } from '../model/wait.js';
import { Account } from '../partition/account.js';
import { applyRecord, replayRecord } from '../partition/apply.js';
import { settleDeadLetters } from '../partition/dead-letters.js';
import { newKeys } from '../partition/new-keys.js';
import type { Batch, LetterRequest, RouterMessage, WriterMessage } from '../routing/protocol.js';
import { type ActorRef, type ParentRef, spawnPersistent, tell } from '../runtime/actors.js';
import { entryOf, type SettledChunk } from './checkpoint.js';
import { FlushLoop } from './flush.js';
import { Incarnation } from './incarnation.js';
import { Stumbling } from './restarts.js';
import type { WriterStep } from './steps.js';
import type { WriterOptions } from './writer-options.js';

/** An idle writer cuts off its journal after this many records; a busy one by bytes, see `snapshotBytes`. */
const IDLE_EVENTS = 256;
/** A checkpoint is due after the rows of so many statements: half of what `FlushLoop` goes on without one. */
const CHECKPOINT_STATEMENTS = 2;
/** What is left of a writer that ends gets this long. */
const END_MS = 1000;
/**
 * Bytes of records to one of what is pending: a snapshot writes the latter to be rid of the former. While a backlog
 * drains, it is soon so small that the snapshot costs little.
 */
const RECORDS_TO_PENDING = 4;
/** Most records behind a snapshot: what a restart may have to replay. */
const MAX_EVENTS = 50_000;

type Persist = (entry: JournalEntry) => Promise<number>;

/**
 * The persistent actor of one partition: a durable last-write-wins map.
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
export class Writer {
  readonly ref: ActorRef<WriterMessage>;
  readonly #options: WriterOptions;
  readonly #account = new Account();
  readonly #stumbling = new Stumbling();
  readonly #feed: RowFeed;
  /** Where the keys of a checkpoint are gathered; there is one at a time. */
  readonly #checkpointKeys: Int32Array;
  #current: Incarnation;
  #isEnding = false;
  #isBounded = true;
  #hasEndedWaits = false;

  constructor(parent: ParentRef, options: WriterOptions) {
    this.#options = options;
    this.#feed = options.feed ?? NO_FEED;
    this.#current = this.#incarnate();
    this.#checkpointKeys = new Int32Array(
      (CHECKPOINT_STATEMENTS + 1) * options.limits.maxBatchRows * WORDS_PER_KEY,
    );
    this.ref = spawnPersistent<Incarnation, WriterMessage, JournalEvent, JournalEntry>(parent, {
      name: `writer-${options.partition}`,
      key: `lars-reporter-${options.partition}`,
      log: options.journal,
      initial: () => {
        this.#current = this.#incarnate(this.#current);
        return this.#current;
      },
      replay: (state, event, sequence) => this.#replay(state, event, sequence),
      recovered: (state) => this.#recovered(state),
      receive: (state, message, persist) => this.#receive(state, message, persist),
      onCrash: (error, state) => this.#crashed(error, state),
    });
  }

  ledger(): Ledger {
    return this.#account.counts.ledger(this.#account.held);
  }

  /** See `Incarnation`. */
  oldestSince(): number | undefined {
    return this.#current.oldestSince;
  }

  /**
   * Ends flushing when the statement in flight has settled, which is given up after a second, for this incarnation and any that may follow. When
   * nothing is pending, the journal is cut off, so that the next start has nothing to replay. To be called before
   * the actor is stopped; a journal that cannot be written holds it up for a second.
   */
  async end(): Promise<void> {
    this.#isEnding = true;
    const { store } = this.#options;
    const late = setTimeout(() => store.abandon?.(), END_MS);
    await this.#current.rest();
    clearTimeout(late);
    this.endWaits();
    // The checkpoint of the last statement may be on its way through the mailbox, and a crash through its rebuild.
    const state = this.#current;
    const deadlineMs = performance.now() + END_MS;
    await until(() => state.unchecked.isEmpty || state.crashed || !state.recovered, END_MS);
    const isStale = () => !this.#isCurrent(state) || performance.now() > deadlineMs;
    if (!state.recovered || isStale() || state.pending.keys > 0) return;
    if (this.#options.journal.sinceSnapshot.events > 0) await this.#takeSnapshot(state, isStale);
  }

  /** The rows that wait for the store, to be copied in pieces; undefined while they are being rebuilt. */
  get pending(): SnapshotSource | undefined {
    const state = this.#current;
    return state.recovered && !state.crashed ? state.pending : undefined;
  }

  /** Whether a batch waits because it would add more keys than there is room for. */
  get isFull(): boolean {
    return this.#current.keysWithoutRoom > 0;
  }

  /** The store takes rows of another writer again: what failed here is tried now. */
  hurry(): void {
    this.#current.flush?.hurry();
  }

  /** Keys that were stored a moment ago and are remembered: what it takes to write each of them in intervals. */
  get remembered(): number {
    return this.#current.pending.remembered;
  }

  /** No agent sends any more: what was read from them is taken in, whatever its keys are. */
  liftBound(): void {
    this.#isBounded = false;
    this.#offerRoom(this.#current);
  }

  /** Keys that are pending with a value of this peer, by its number in the journal. */
  keysOf(peer: number): number {
    return this.#current.pending.keysOf(peer);
  }

  /** From now on nothing waits for others to go along with: no rewrite, no checkpoint. */
  endWaits(): void {
    this.#hasEndedWaits = true;
    const state = this.#current;
    state.pending.stopResting();
    state.flush?.wake();
    state.unchecked.endWait();
  }

  #incarnate(before?: Incarnation): Incarnation {
    const { rewriteMs, maxRemembered, maxBatchRows } = this.#options.limits;
    return new Incarnation(
      {
        rests: { restMs: this.#hasEndedWaits ? 0 : rewriteMs, maxResting: maxRemembered },
        checkpointRows: CHECKPOINT_STATEMENTS * maxBatchRows,
        onCheckpointDue: (incarnation) => tell(this.ref, { kind: 'flushed', incarnation }),
      },
      before,
    );
  }

  #atStep(step: WriterStep): void {
    this.#options.atStep?.(step, this.#options.partition);
  }

  #isCurrent(state: Incarnation): boolean {
    return this.#current === state && !state.crashed;
  }

  #replay(state: Incarnation, event: JournalEvent, sequence: number): void {
    state.replaying = sequence;
    this.#atStep('recovery');
    if (event.kind === 'base') state.batchId = event.batchId;
    else if (event.kind === 'rows') state.pending.restore(event.rows, evenSecond());
    else {
      const changes = replayRecord(state.pending, event.record, evenSecond());
      state.advance(sequence, event.record);
      this.#account.replayed(sequence, event.record, changes);
    }
    state.sequence = sequence;
    // From here to the next event it is the journal that fails, if anything does.
    state.replaying = undefined;
  }

  #recovered(state: Incarnation): void {
    const { partition, restarts } = this.#options;
    state.recovered = true;
    this.#account.recovered(state.pending, state.sequence);
    if (!this.#isEnding) state.flush = this.#startFlushing(state);
    restarts.recovered(partition);
    this.#acknowledge({ kind: 'ready', partition, batchId: state.batchId });
  }

  /** Tells the router what is journaled: not before a restart would find it. */
  #acknowledge(message: RouterMessage): void {
    const { journal, router } = this.#options;
    const displaced = journal.displaced();
    if (displaced) void displaced.then(() => this.#acknowledge(message));
    else tell(router, message);
  }

  async #receive(state: Incarnation, message: WriterMessage, persist: Persist): Promise<void> {
    switch (message.kind) {
      case 'batch':
        await this.#takeIn(state, message.batch, persist);
        break;
      case 'letters':
        await this.#settleLetters(state, message.request, persist);
        break;
      case 'flushed':
        if (message.incarnation !== state.number || state.unchecked.isEmpty) return;
        await this.#commit(state, undefined, persist);
        break;
      case 'crashed':
        if (message.incarnation === state.number) throw message.error;
        return;
    }
    this.#snapshotWhenDue(state);
  }

  async #takeIn(state: Incarnation, batch: Batch, persist: Persist): Promise<void> {
    const { partition, router, events } = this.#options;
    // Handed over a second time after a crash that it had survived.
    if (!batch.isJournaled && batch.id > state.batchId) {
      if (!this.#hasRoomFor(state, batch)) {
        tell(router, { kind: 'full', partition, batchId: batch.id });
        return;
      }
      const began = performance.now();
      this.#atStep('before-persist');
      await this.#commit(state, batch, persist);
      const ended = performance.now();
      events.emit({
        ...{ type: 'batch-journaled', partition, batchId: batch.id },
        ...{ rows: batch.rows.length / WORDS_PER_ROW, received: batch.received },
        ...{ seconds: (ended - batch.sinceMs) / 1000, journalSeconds: (ended - began) / 1000 },
        isFollowed: state.followed.has(batch.id),
      });
    }
    this.#acknowledge({ kind: 'journaled', partition, batchId: batch.id });
  }

  /** Whether the keys that the batch would add are within the bound. If not, the router is told when they are. */
  #hasRoomFor(state: Incarnation, { rows }: Batch): boolean {
    const { partition, events, limits } = this.#options;
    const room = limits.maxKeys - state.pending.keys;
    // Counted only where it matters: each row is looked for once more.
    if (this.#takesAny(state) || rows.length / WORDS_PER_ROW <= room) return true;
    const added = newKeys(state.pending, rows);
    if (added === 0 || added <= room) return true;
    state.keysWithoutRoom = added;
    events.emit({ type: 'writer-full', partition, isFull: true, keys: state.pending.keys });
    return false;
  }

  /** Whether a batch of any size is taken in. Rows that are set aside may wait for long, and no batch waits for them. */
  #takesAny({ pending }: Incarnation): boolean {
    return (
      !this.#isBounded || (pending.keys === pending.aside && pending.aside < this.#options.limits.maxKeys)
    );
  }

  /** After keys were removed or set aside: the batch that waits for room is asked for when there is. */
  #offerRoom(state: Incarnation): void {
    const { partition, limits, router } = this.#options;
    if (state.keysWithoutRoom === 0) return;
    if (!this.#takesAny(state) && state.pending.keys + state.keysWithoutRoom > limits.maxKeys) return;
    this.#endFull(state);
    tell(router, { kind: 'room', partition });
  }

  #endFull(state: Incarnation): void {
    const { partition, events } = this.#options;
    if (state.keysWithoutRoom === 0) return;
    state.keysWithoutRoom = 0;
    events.emit({ type: 'writer-full', partition, isFull: false, keys: state.pending.keys });
  }

  /** Journals a batch, a checkpoint of what was flushed, or both in one record, and applies it. */
  async #commit(state: Incarnation, batch: Batch | undefined, persist: Persist): Promise<void> {
    const settled = state.unchecked.take();
    if (settled.length > 0) this.#atStep('checkpoint');
    const entry = entryOf(state.pending, batch, settled, this.#checkpointKeys);
    await this.#persistAndApply(state, entry, persist);
    state.flush?.checked(settled.map(({ chunk }) => chunk));
    state.flush?.wake();
    this.#offerRoom(state);
  }

  async #persistAndApply(state: Incarnation, entry: JournalEntry, persist: Persist): Promise<void> {
    const sequence = await persist(entry);
    this.#atStep('after-persist');
    this.#apply(state, sequence, entry.record);
  }

  /** Applies a record that is in the journal now. */
  #apply(state: Incarnation, sequence: number, record: JournalRecord): void {
    const changes = applyRecord(state.pending, record, evenSecond());
    state.advance(sequence, record);
    this.#account.count(sequence, record, changes);
    this.#account.rest(state.pending);
    // Other records hold no reports: dead letters that are sent again were heard when they came.
    if (record.batchId === 0) return;
    this.#feed.journaled(this.#options.partition, record.rows);
    // Before anything else can be sent: what is on its way by now is older.
    if (this.#options.isFollowed?.()) state.followed.add(record.batchId, record.rows, state.pending);
  }

  /** Replays dead letters: as a record of their own, so that it settles nothing else; see `redeliver`. */
  async #settleLetters(state: Incarnation, request: LetterRequest, persist: Persist): Promise<void> {
    if (request.isAbandoned()) return;
    state.letters = request;
    request.done(
      await settleDeadLetters(request, {
        journal: this.#options.journal,
        isPending: (key) => state.pending.has(key, 0),
        commit: async (entry) => {
          this.#atStep('before-persist');
          await this.#persistAndApply(state, entry, persist);
          state.flush?.wake();
        },
      }),
    );
    state.letters = undefined;
  }

  #startFlushing(state: Incarnation): FlushLoop {
    const { partition, events, health, store, limits } = this.#options;
    const { number: incarnation, pending, followed } = state;
    return new FlushLoop({
      pending,
      store,
      health,
      maxRows: limits.maxBatchRows,
      atStep: (step) => this.#atStep(step),
      onFlushed: (chunk, seconds) => {
        events.emit({
          ...{ type: 'statement-flushed', partition, rows: chunk.rows.length, seconds },
          ...followed.carriedBy(chunk),
        });
        this.#settled(state, { chunk });
      },
      onRefused: (chunk, refusal) => {
        events.emit({ type: 'dead-letter', partition, error: refusal });
        this.#settled(state, { chunk, refusal });
      },
      onReleased: (replaced) => {
        if (!this.#isCurrent(state)) return;
        this.#account.counts.coalesced += replaced;
        this.#account.rest(pending);
      },
      onFailure: (chunk, error, seconds) =>
        events.emit({
          ...{ type: 'statement-failed', partition, rows: chunk.rows.length, seconds, error },
          ...followed.carriedBy(chunk),
        }),
      onSetAside: (rows, error, pauseMs) => {
        const what = { rows: rows.length, first: rows.at(0), error, pauseMs };
        events.emit({ type: 'rows-set-aside', partition, ...what });
        this.#offerRoom(state);
      },
      onCrash: (error) => tell(this.ref, { kind: 'crashed', incarnation, error }),
    });
  }

  /** A chunk waits for the next checkpoint. */
  #settled(state: Incarnation, settled: SettledChunk): void {
    if (!this.#isCurrent(state)) return;
    const { partition, events } = this.#options;
    for (const arrival of state.followed.settled(settled.chunk, settled.refusal !== undefined))
      events.emit({ type: 'batch-stored', partition, ...arrival });
    state.unchecked.add(settled);
  }

  #snapshotWhenDue(state: Incarnation): void {
    const { bytes, events } = this.#options.journal.sinceSnapshot;
    const idle = state.pending.keys === 0 && events >= IDLE_EVENTS;
    const wanted = Math.max(this.#options.limits.snapshotBytes, RECORDS_TO_PENDING * state.pending.bytes);
    const large = bytes > wanted || events > MAX_EVENTS;
    if ((!idle && !large) || state.snapshot || this.#isEnding) return;
    this.#atStep('snapshot');
    void this.#takeSnapshot(state, () => !this.#isCurrent(state) || this.#isEnding);
  }

  #takeSnapshot(state: Incarnation, isStale: () => boolean): Promise<void> {
    const { journal, partition, events } = this.#options;
    const run = async () => {
      try {
        await journal.snapshot(state.sequence, state.batchId, state.pending, isStale);
      } catch (error) {
        events.emit({ type: 'snapshot-failed', partition, error: errorOf(error) });
      }
      state.snapshot = undefined;
    };
    state.snapshot = run();
    return state.snapshot;
  }

  async #crashed(error: Error, state: Incarnation): Promise<void> {
    const { partition, journal, restarts } = this.#options;
    state.crashed = true;
    // The batch is handed over again when the writer is back.
    this.#endFull(state);
    state.letters?.failed();
    // No statement of the old incarnation may be on its way when the next one sends newer rows.
    await state.rest();
    if (this.#isEnding) return;
    const isInTheWay = this.#stumbling.over(state.replaying);
    if (isInTheWay) await journal.quarantine(state.replaying!, error);
    await restarts.crashed(partition, error, isInTheWay);
  }
}
