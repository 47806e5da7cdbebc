import { CMDID, MODID, WORDS_PER_ROW } from '../model/row.js';
import { RowMap } from '../pending/rowmap.js';
import { partitionOf } from './partition.js';
import type { Batch, Credit, RouterMessage, WriterMessage } from './protocol.js';
import { type ActorRef, type ParentRef, spawn, tell } from './system.js';

/** What the router keeps for one writer. */
interface Lane {
  writer: ActorRef<WriterMessage> | undefined;
  /** Whether the writer has said it is ready since it was started. */
  ready: boolean;
  /** What came while the writer was busy, merged: bounded by credit, and by the number of keys. */
  readonly gathering: RowMap;
  received: number;
  credits: Credit[];
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
  onCrash: (error: Error, message: RouterMessage) => void,
): Router {
  const lanes: Lane[] = Array.from({ length: writers }, () => ({
    writer: undefined,
    ready: false,
    gathering: new RowMap(),
    received: 0,
    credits: [],
    handed: undefined,
    nextId: 1,
  }));

  const ref = spawn<RouterMessage>(parent, {
    name: 'router',
    receive: (message) => {
      switch (message.kind) {
        case 'rows':
          distribute(lanes, message.rows, message.credit);
          for (const lane of lanes) handOver(lane);
          break;
        case 'journaled':
          journaled(lanes[message.partition]!, message.batchId);
          break;
        case 'ready':
          ready(lanes[message.partition]!, message.batchId);
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
      return lanes.reduce((rows, lane) => rows + lane.received + (lane.handed?.received ?? 0), 0);
    },
  };
}

function distribute(lanes: readonly Lane[], rows: Int32Array, credit: Credit): void {
  // Reports carry many hosts of one service, so the hash is needed only where the service changes.
  let modid = 0;
  let cmdid = 0;
  let lane: Lane | undefined;
  for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
    if (!lane || rows[at + MODID] !== modid || rows[at + CMDID] !== cmdid) {
      modid = rows[at + MODID]!;
      cmdid = rows[at + CMDID]!;
      lane = lanes[partitionOf(modid, cmdid, lanes.length)]!;
      if (lane.credits.at(-1) !== credit) {
        lane.credits.push(credit);
        credit.outstanding++;
      }
    }
    lane.gathering.put(rows, at);
    lane.received++;
  }
}

function handOver(lane: Lane): void {
  if (!lane.ready || lane.handed || lane.received === 0) return;
  lane.handed = {
    id: lane.nextId++,
    received: lane.received,
    rows: lane.gathering.drain(),
    credits: lane.credits,
  };
  lane.received = 0;
  lane.credits = [];
  deliver(lane, lane.handed);
}

function deliver(lane: Lane, batch: Batch): void {
  if (!lane.writer || !tell(lane.writer, { kind: 'batch', batch })) {
    // Only while everything is being stopped: the supervisor resets writers and never stops one. The batch stays
    // with the lane, its credits unpaid, so that nobody believes it is journaled.
    lane.ready = false;
  }
}

function journaled(lane: Lane, batchId: number): void {
  const batch = lane.handed;
  if (batch?.id !== batchId) return;
  lane.handed = undefined;
  handOver(lane);
  for (const credit of batch.credits) {
    credit.outstanding--;
    if (credit.outstanding === 0) credit.settled();
  }
}

function ready(lane: Lane, batchId: number): void {
  lane.ready = true;
  lane.nextId = Math.max(lane.nextId, batchId + 1);
  if (!lane.handed) handOver(lane);
  else if (lane.handed.id <= batchId) journaled(lane, lane.handed.id);
  else deliver(lane, lane.handed);
}
