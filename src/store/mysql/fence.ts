import { createHash } from 'node:crypto';
import { StoreError } from '../../model/errors.js';
import type { StoreLane } from '../contract.js';
import type { Query } from './connection.js';

/**
 * Fencing: a lost connection is not a stopped statement. When an upsert times out or its connection breaks, the
 * server may still run it, after newer rows came in on the next connection, and a row would go backwards.
 *
 * So a connection holds a named lock of its partition before its first upsert and as long as it lives. The
 * server lets go of the lock only when the session is over, its statement committed or rolled back: whoever has
 * the lock knows that every earlier statement has had its effect. A session that does not end by itself is
 * killed. A server restart frees all locks, and ends all statements with them.
 *
 *     old connection   GET_LOCK ── upsert ──────✕ time-out, socket reset
 *                                  (still runs) ───────────── killed, rolled back ─┐ lock comes free
 *     new connection                              GET_LOCK … KILL old … GET_LOCK ──┴─ holds it ── upsert
 *
 * The locks are named after journal and partition, not after the number of partitions: earlier runs of a
 * journal may have had more or fewer of them, and their locks must be found (`outlastEarlierRuns`).
 *
 * Limit: locks live in one server. A multi-primary cluster, or a balancer that moves a writer to another
 * server while the first still runs its statement, is not fenced.
 */

/** Most partitions a journal may have had; the locks of so many are looked for at start. */
export const MAX_PARTITIONS = 1024;

/** Looked for at once: a statement of 5 kB, small enough for any server. */
const LOCKS_A_STATEMENT = 64;

const NO_SUCH_THREAD = 1094;
const KILL_DENIED = 1095;

/** How long the session that holds a lock may take to end by itself before it is killed. */
const GRACE_SECONDS = 1;

/** Longest a statement of this module waits in the server by intent. */
export const FENCE_WAIT_MS = GRACE_SECONDS * 1000;

export interface FenceOptions {
  /** When to give up with class `retry`, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  /** Told of every session that is killed, by its connection id. */
  readonly onKill: (partition: number, connectionId: number) => void;
}

/** Takes the lock of the lane's partition for the session behind `query`. Rejects as `takeLock` does. */
export async function takeLane(query: Query, lane: StoreLane, options: FenceOptions): Promise<void> {
  await takeLock(query, lane.journalId, lane.partition, options);
}

/**
 * Waits until no session of an earlier run of this journal is left, whatever its number of partitions was. To
 * be done once by the first connection of a run, before any lane of this run has its lock.
 */
export async function outlastEarlierRuns(
  query: Query,
  journalId: string,
  options: FenceOptions,
): Promise<void> {
  for (let from = 0; from < MAX_PARTITIONS; from += LOCKS_A_STATEMENT) {
    const names = Array.from({ length: LOCKS_A_STATEMENT }, (_, index) => lockName(journalId, from + index));
    const [holders = []] = await query(`SELECT ${names.map((name) => `IS_USED_LOCK('${name}')`).join(',')}`);
    for (const [index, holder] of holders.entries()) {
      if (holder === null) continue;
      await takeLock(query, journalId, from + index, options);
      await query(`DO RELEASE_LOCK('${names[index]}')`);
    }
  }
}

/** 51 characters at most (the server takes 64), safe between quotes whatever the journal's id is. */
function lockName(journalId: string, partition: number): string {
  const journal = createHash('sha256').update(journalId).digest('hex').slice(0, 32);
  return `lars-reporter:${journal}:${partition}`;
}

/** Rejects with StoreError `retry` when the lock did not come free, else with what the server says. */
async function takeLock(
  query: Query,
  journalId: string,
  partition: number,
  { deadlineMs, onKill }: FenceOptions,
): Promise<void> {
  const name = lockName(journalId, partition);
  let killed: number | undefined;
  for (;;) {
    // One second at a time: a killed session may take long to roll back, and may be replaced by a later one of
    // the same writer, which waited for the lock behind it.
    const [[taken] = []] = await query(`SELECT GET_LOCK('${name}',${GRACE_SECONDS})`);
    if (Number(taken) === 1) return;
    const [[holder] = []] = await query(`SELECT IS_USED_LOCK('${name}')`);
    // Nobody, when it came free in this moment.
    const dying = typeof holder !== 'number' || (await kill(query, holder));
    if (typeof holder === 'number' && dying && holder !== killed) {
      onKill(partition, holder);
      killed = holder;
    }
    if (performance.now() < deadlineMs) continue;
    throw new StoreError(
      'retry',
      'FENCE_HELD',
      `connection ${holder} of partition ${partition} is still at work, and ` +
        `${dying ? 'was killed' : 'may not be killed by this user'}; ` +
        'newer rows wait, else they could be overwritten by older ones',
    );
  }
}

/**
 * Kills a session, if it still is there. False when the server refuses: users may kill their own sessions only,
 * and a session that is in a trigger counts as the trigger's maker's for that long.
 */
async function kill(query: Query, connectionId: number): Promise<boolean> {
  try {
    await query(`KILL ${connectionId}`);
    return true;
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (errno === NO_SUCH_THREAD) return true;
    if (errno === KILL_DENIED) return false;
    throw error;
  }
}
