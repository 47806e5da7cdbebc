import { errorOf } from '../model/errors.js';
import { CMDID, MODID, WORDS_PER_ROW } from '../model/row.js';
import { type RowBuffer, RowBufferPool } from '../model/row-buffer.js';
import type { EventSink } from '../observe/events.js';
import { memoisedPartitionOf } from '../partition/hash.js';
import { type ActorRef, type ParentRef, spawn, tell } from '../runtime/actors.js';
import { Grouping } from './grouping.js';
import { Inbox, type Incoming } from './inbox.js';
import { Merge } from './merge.js';
import type { Batch, Credit, RouterMessage, WriterMessage } from './protocol.js';

/**
 * Rows in one batch, at most, but for the last report in it. Larger batches would merge more, but journaling and
 * folding one takes the event loop for a moment, and whoever sent its first row waits for its last.
 */
const MAX_BATCH_ROWS = 16_384;
/** Rows that are distributed in one turn of the event loop, about: 2 to 3 ms of it. */
const MAX_TURN_ROWS = 65_536;
/** Keys that all lanes together remember from one batch to the next, to find what is reported again: some MB. */
const MAX_KNOWN_KEYS = 100_000;

/** Buffers of batches that are kept to be used again: a pair for each lane, where there are few. */
const MAX_SPARE_BUFFERS = 32;

/** What is merged, and becomes the next batch or a later one. */
interface Gathered {
  readonly rows: RowBuffer;
  /** Rows it stands for, merged ones included. */
  readonly received: number;
  readonly credits: readonly Credit[];
  /** When the first of them was read, on the clock of `performance.now()`. */
  readonly sinceMs: number;
}

/** What the router keeps for one writer. */
interface Lane {
  writer: ActorRef<WriterMessage> | undefined;
  /** Whether the writer has said it is ready since it was started. */
  ready: boolean;
  /** What comes while the writer is busy; bounded by credit. */
  readonly merge: Merge;
  /** What claims the rows of the merge. */
  credits: Credit[];
  /** When the first row of the merge was read; of no meaning while there are no credits. */
  sinceMs: number;
  /** What came before that and filled a batch each, oldest first. */
  readonly full: Gathered[];
  /** Handed over, not journaled yet. Handed over again when the writer comes back without it. */
  handed: { readonly batch: Batch; readonly rows: RowBuffer } | undefined;
  /** The writer had no room for what it was handed. It is offered again when there is, and nothing before it. */
  isFull: boolean;
  /** What is gathered goes on as soon as the writer is free; else it waits for `Grouping`. */
  isDue: boolean;
  nextId: number;
}

export interface Router {
  readonly ref: ActorRef<RouterMessage>;
  /** Where rows are left for it. */
  readonly inbox: Inbox;
  /** Gives the lane its writer; before any message of that writer. */
  connect(partition: number, writer: ActorRef<WriterMessage>): void;
  /** From now on no row waits for others to go along with. */
  endWaits(): void;
  /** Rows that are not journaled yet; 0 when every credit is paid back. */
  readonly waitingRows: number;
}

export interface RouterOptions {
  /** Number of lanes. */
  readonly writers: number;
  /** See `Grouping`; 0 = rows wait for nothing but their writer. */
  readonly groupMs: number;
  readonly events: EventSink;
}

/**
 * Distributes rows over the writers by the hash of their service.
 *
 * A lane has at most one batch with its writer. What comes meanwhile is merged, newest value of each key, and goes
 * as the next batch when the writer has journaled the last, and not before `groupMs` have passed since rows last went
 * on: batches of all lanes go together and share a commit of the journal, at rest a row waits for nothing. Nor does it
 * when its sender waits for it, or when a batch is full. nact loses the message at which an actor crashes; since the lane keeps its batch until the
 * writer reports it journaled, and hands it over again before anything newer, no row is lost or overtaken.
 */
export function spawnRouter(parent: ParentRef, { writers, groupMs, events }: RouterOptions): Router {
  const buffers = new RowBufferPool({
    initialRows: 64,
    maxSpares: Math.min(2 * writers, MAX_SPARE_BUFFERS),
    maxSpareRows: 2 * MAX_BATCH_ROWS,
  });
  const lanes: Lane[] = Array.from({ length: writers }, () => ({
    writer: undefined,
    ready: false,
    merge: new Merge(buffers, Math.floor(MAX_KNOWN_KEYS / writers)),
    credits: [],
    sinceMs: 0,
    full: [],
    handed: undefined,
    isFull: false,
    isDue: false,
    nextId: 1,
  }));

  const laneOf = memoisedPartitionOf(writers);

  /** Runs what may fail for reasons of one sender, which must not keep the credit of the others. */
  const guarded = (action: () => void): boolean => {
    try {
      action();
      return true;
    } catch (error) {
      events.emit({ type: 'routing-failed', error: errorOf(error) });
      return false;
    }
  };
  const settle: Settle = (credit) => void guarded(credit.settled);
  const grouping = new Grouping(groupMs, () => inbox.flush());
  const inbox = new Inbox(
    () => tell(ref, { kind: 'rows' }),
    () => grouping.isDue(),
  );
  const goOn = () => {
    for (const lane of lanes) {
      lane.isDue = lane.full.length > 0 || lane.merge.rows > 0;
      if (lane.isDue) handOver(lane);
    }
    grouping.gone();
  };

  const ref = spawn<RouterMessage>(parent, {
    name: 'router',
    receive: (message) => {
      switch (message.kind) {
        case 'rows': {
          let isAwaited = false;
          const { words } = inbox;
          for (const incoming of inbox.take(MAX_TURN_ROWS)) {
            const { credit } = incoming;
            isAwaited ||= credit.isAwaited;
            const isDone = guarded(() => distribute(lanes, laneOf, words, incoming));
            // Where some of its rows have a batch already, that pays it back.
            if (!isDone && credit.outstanding === 0) settle(credit);
          }
          if (isAwaited || lanes.some(isBatchFull) || grouping.isDue()) goOn();
          break;
        }
        case 'journaled':
          journaled(lanes[message.partition]!, message.batchId, settle);
          break;
        case 'full':
          full(lanes[message.partition]!, message.batchId);
          break;
        case 'room':
          room(lanes[message.partition]!);
          break;
        case 'ready':
          ready(lanes[message.partition]!, message.batchId, settle);
          break;
      }
    },
    onCrash: (error) => {
      events.emit({ type: 'routing-failed', error });
      return 'resume';
    },
  });

  return {
    ref,
    inbox,
    connect: (partition, writer) => {
      lanes[partition]!.writer = writer;
    },
    endWaits: () => grouping.end(),
    get waitingRows() {
      let { rows } = inbox;
      for (const lane of lanes) {
        rows += (lane.handed?.batch.received ?? 0) + lane.merge.received;
        for (const { received } of lane.full) rows += received;
      }
      return rows;
    },
  };
}

function distribute(
  lanes: readonly Lane[],
  laneOf: (modid: number, cmdid: number) => number,
  words: Int32Array,
  { from: begin, to: end, credit, atMs }: Incoming,
): void {
  // Reports carry many hosts of one service, so lanes change only where the service does.
  for (let at = begin; at < end; ) {
    const modid = words[at + MODID]!;
    const cmdid = words[at + CMDID]!;
    const lane = lanes[laneOf(modid, cmdid)]!;
    const { merge } = lane;
    if (merge.rows >= MAX_BATCH_ROWS) lane.full.push(gathered(lane));
    if (lane.credits.at(-1) !== credit) {
      if (lane.credits.length === 0) lane.sinceMs = atMs;
      lane.credits.push(credit);
      credit.outstanding++;
    }
    const from = at;
    do at += WORDS_PER_ROW;
    while (at < end && words[at + MODID] === modid && words[at + CMDID] === cmdid);
    merge.put(words, from, at);
  }
}

/** Takes what was merged so far; what comes from now on is for a later batch. */
function gathered(lane: Lane): Gathered {
  const { merge, credits, sinceMs } = lane;
  const { received } = merge;
  lane.credits = [];
  return { rows: merge.take(), received, credits, sinceMs };
}

function isBatchFull({ full, merge }: Lane): boolean {
  return full.length > 0 || merge.rows >= MAX_BATCH_ROWS;
}

function handOver(lane: Lane): void {
  if (!lane.ready || lane.handed || (lane.full.length === 0 && lane.merge.rows === 0)) return;
  if (lane.full.length === 0) lane.isDue = false;
  const { rows, ...gathering } = lane.full.shift() ?? gathered(lane);
  const batch: Batch = { id: lane.nextId++, ...gathering, rows: rows.rows(), isJournaled: false };
  lane.handed = { batch, rows };
  deliver(lane, batch);
}

function deliver(lane: Lane, batch: Batch): void {
  if (!lane.writer || !tell(lane.writer, { kind: 'batch', batch })) {
    // Only while everything is being stopped: the supervisor resets writers and never stops one. The batch stays
    // with the lane, its credits unpaid, so that nobody believes it is journaled.
    lane.ready = false;
  }
}

type Settle = (credit: Credit) => void;

function journaled(lane: Lane, batchId: number, settle: Settle): void {
  const { handed } = lane;
  if (handed?.batch.id !== batchId) return;
  lane.handed = undefined;
  handed.batch.isJournaled = true;
  handed.rows.release();
  if (lane.isDue) handOver(lane);
  for (const credit of handed.batch.credits) {
    credit.outstanding--;
    if (credit.outstanding === 0) settle(credit);
  }
}

function full(lane: Lane, batchId: number): void {
  if (lane.handed?.batch.id === batchId) lane.isFull = true;
}

function room(lane: Lane): void {
  if (!lane.isFull) return;
  lane.isFull = false;
  if (lane.handed) deliver(lane, lane.handed.batch);
}

function ready(lane: Lane, batchId: number, settle: Settle): void {
  lane.ready = true;
  lane.isFull = false;
  lane.nextId = Math.max(lane.nextId, batchId + 1);
  if (!lane.handed) handOver(lane);
  else if (lane.handed.batch.id <= batchId) journaled(lane, lane.handed.batch.id, settle);
  else deliver(lane, lane.handed.batch);
}
