import type { Batch, Effect, Row, Sender } from './cluster-messages.js';
import { RETRY_MS } from './lease.js';

/** What one node has for one partition. Hands it to the owner, wherever that is, one batch at a time. */
export interface Lane {
  readonly partition: number;
  readonly sender: Sender;
  /** Rows of a batch at most. */
  readonly batchRows: number;
  /** The node that owns the partition, as far as is known here. */
  owner: number | undefined;
  /** What came while a batch was on its way: the newest value of each key. */
  readonly merge: Map<number, number>;
  /** Handed over again, unchanged, until it is journaled. Nothing newer overtakes it. */
  handed: { readonly batch: Batch; sentMs: number } | undefined;
  lastId: number;
}

export function newLane(partition: number, sender: Sender, batchRows: number): Lane {
  return { partition, sender, batchRows, owner: undefined, merge: new Map(), handed: undefined, lastId: 0 };
}

export function takeRows(lane: Lane, rows: readonly Row[], nowMs: number): Effect[] {
  for (const { key, value } of rows) lane.merge.set(key, value);
  return handOver(lane, nowMs);
}

/** A batch is in the log. */
export function journaled(lane: Lane, sender: Sender, id: number, nowMs: number): Effect[] {
  const isOwn = sender.node === lane.sender.node && sender.life === lane.sender.life;
  if (!isOwn || lane.handed?.batch.id !== id) return [];
  lane.handed = undefined;
  return [{ to: 'agents', partition: lane.partition, id }, ...handOver(lane, nowMs)];
}

export function ownerSeen(lane: Lane, owner: number | undefined, nowMs: number): Effect[] {
  if (owner === lane.owner) return [];
  lane.owner = owner;
  return lane.handed ? deliver(lane, nowMs) : [];
}

export function handAgain(lane: Lane, nowMs: number): Effect[] {
  return lane.handed && nowMs - lane.handed.sentMs >= RETRY_MS ? deliver(lane, nowMs) : [];
}

function handOver(lane: Lane, nowMs: number): Effect[] {
  if (lane.handed || lane.merge.size === 0) return [];
  const rows = [...lane.merge].slice(0, lane.batchRows).map(([key, value]) => ({ key, value }));
  for (const { key } of rows) lane.merge.delete(key);
  lane.handed = { batch: { sender: lane.sender, id: ++lane.lastId, rows }, sentMs: nowMs };
  return deliver(lane, nowMs);
}

function deliver({ owner, partition, handed }: Lane, nowMs: number): Effect[] {
  if (owner === undefined || !handed) return [];
  handed.sentMs = nowMs;
  return [{ to: 'node', node: owner, message: { kind: 'batch', partition, batch: handed.batch } }];
}
