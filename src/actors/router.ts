import { CMDID, MODID, WORDS_PER_ROW } from '../model/row.js';
import { RowMap } from '../pending/rowmap.js';
import { partitionOf } from './partition.js';
import type { Batch, Credit, RouterMessage, WriterMessage } from './protocol.js';
import { type ActorRef, type ParentRef, spawn, tell } from './system.js';

/**
 * Keys in one batch, at most. Larger batches would merge more, but journaling and folding one takes the event loop
 * for a moment, and whoever sent its first row waits for its last.
 */
const MAX_BATCH_KEYS = 16_384;

/** Rows that are being merged into a batch. */
class Gathering {
  readonly rows: RowMap;
  received = 0;
  readonly credits: Credit[] = [];

  constructor(rows: RowMap) {
    this.rows = rows;
  }
}

/** What the router keeps for one writer. */
interface Lane {
  writer: ActorRef<WriterMessage> | undefined;
  /** Whether the writer has said it is ready since it was started. */
  ready: boolean;
  /** What came while the writer was busy, merged, oldest first: bounded by credit. Rows go to the last. */
  readonly waiting: Gathering[];
  /** An emptied map for the next batch: one that has grown already. */
  spare: RowMap | undefined;
  /** Handed over, not journaled yet. Handed over again when the writer comes back without it. */
  handed: Batch | undefined;
  nextId: number;
}

export interface Router {
  readonly ref: ActorRef<RouterMessage>;
  /** Gives the lane its writer; before any message of that writer. */
  connect(partition: number, writer: ActorRef<WriterMessage>): void;
  /** Rows that are not journaled yet; 0 when every credit is paid back. */
  readonly waitingRows: number;
}

/**
 * Distributes rows over the writers by the hash of their service.
 *
 * A lane has at most one batch with its writer. What comes meanwhile is merged, newest value of each key, and goes
 * as the next batch when the writer has journaled the last: under load batches grow by themselves, at rest a row
 * waits for nothing. nact loses the message at which an actor crashes; since the lane keeps its batch until the
 * writer reports it journaled, and hands it over again before anything newer, no row is lost or overtaken.
 */
export function spawnRouter(
  parent: ParentRef,
  writers: number,
  onCrash: (error: Error, message?: RouterMessage) => void,
): Router {
  const lanes: Lane[] = Array.from({ length: writers }, () => ({
    writer: undefined,
    ready: false,
    waiting: [],
    spare: undefined,
    handed: undefined,
    nextId: 1,
  }));

  /** A sender whose call back fails must not keep the credit of the others in its batch. */
  const settle: Settle = (credit) => {
    try {
      credit.settled();
    } catch (error) {
      onCrash(error instanceof Error ? error : new Error(String(error)));
    }
  };

  const ref = spawn<RouterMessage>(parent, {
    name: 'router',
    receive: (message) => {
      switch (message.kind) {
        case 'rows':
          distribute(lanes, message.rows, message.credit);
          for (const lane of lanes) handOver(lane);
          break;
        case 'journaled':
          journaled(lanes[message.partition]!, message.batchId, settle);
          break;
        case 'ready':
          ready(lanes[message.partition]!, message.batchId, settle);
          break;
      }
    },
    onCrash: (error, message) => {
      onCrash(error, message);
      return 'resume';
    },
  });

  return {
    ref,
    connect: (partition, writer) => {
      lanes[partition]!.writer = writer;
    },
    get waitingRows() {
      let rows = 0;
      for (const { waiting, handed } of lanes) {
        rows += handed?.received ?? 0;
        for (const { received } of waiting) rows += received;
      }
      return rows;
    },
  };
}

function distribute(lanes: readonly Lane[], rows: Int32Array, credit: Credit): void {
  // Reports carry many hosts of one service, so the hash is needed only where the service changes.
  let modid = 0;
  let cmdid = 0;
  let gathering: Gathering | undefined;
  for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
    if (!gathering || rows[at + MODID] !== modid || rows[at + CMDID] !== cmdid) {
      modid = rows[at + MODID]!;
      cmdid = rows[at + CMDID]!;
      gathering = gatheringOf(lanes[partitionOf(modid, cmdid, lanes.length)]!, credit);
    }
    gathering.rows.put(rows, at);
    gathering.received++;
  }
}

/** Where rows of the lane go now; what `credit` stands for is outstanding there. */
function gatheringOf(lane: Lane, credit: Credit): Gathering {
  let gathering = lane.waiting.at(-1);
  if (!gathering || gathering.rows.size >= MAX_BATCH_KEYS) {
    gathering = new Gathering(lane.spare ?? new RowMap());
    lane.spare = undefined;
    lane.waiting.push(gathering);
  }
  if (gathering.credits.at(-1) !== credit) {
    gathering.credits.push(credit);
    credit.outstanding++;
  }
  return gathering;
}

function handOver(lane: Lane): void {
  if (!lane.ready || lane.handed) return;
  const gathering = lane.waiting.shift();
  if (!gathering) return;
  const { rows, received, credits } = gathering;
  lane.handed = { id: lane.nextId++, received, rows: rows.drain(), credits };
  lane.spare = rows;
  deliver(lane, lane.handed);
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
  const batch = lane.handed;
  if (batch?.id !== batchId) return;
  lane.handed = undefined;
  handOver(lane);
  for (const credit of batch.credits) {
    credit.outstanding--;
    if (credit.outstanding === 0) settle(credit);
  }
}

function ready(lane: Lane, batchId: number, settle: Settle): void {
  lane.ready = true;
  lane.nextId = Math.max(lane.nextId, batchId + 1);
  if (!lane.handed) handOver(lane);
  else if (lane.handed.id <= batchId) journaled(lane, lane.handed.id, settle);
  else deliver(lane, lane.handed);
}
