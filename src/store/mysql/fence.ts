import { createHash, randomUUID } from 'node:crypto';
import { StoreError } from '../../model/errors.js';
import type { StoreLane } from '../contract.js';
import { isUnknownAnswer } from './errors.js';
import type { Query } from './mysql-connection.js';
import { isCommitting, killSession, type ServerSession, serverSessions } from './sessions.js';

/**
 * Fencing: a lost connection is not a stopped statement. When an upsert times out or its connection breaks, the
 * server may still run it, after newer rows came in on the next connection, and a row would go backwards.
 *
 * So a connection holds a named lock of its partition before its first upsert and as long as it lives. The
 * server lets go of the lock only when the session is over, its statement committed or rolled back: whoever has
 * the lock knows that every earlier statement has had its effect. A session that does not end by itself is
 * killed, but for one that is in its commit (see `isCommitting`): that one is waited for, however long it takes.
 * A server restart frees all locks, and ends all statements with them.
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

/** Looked for at once, at most: a statement of 5 kB. */
const LOCKS_A_STATEMENT = 64;
/** `IS_USED_LOCK('…'),` with the longest name. */
const BYTES_A_LOCK = 70;
/** No server takes less: 1 KiB is the smallest `max_allowed_packet`. */
const LEAST_PACKET_BYTES = 1024;

/** How long the session that holds a lock may take to end by itself before it is killed. */
const GRACE_SECONDS = 1;

/** Longest a statement of this module waits in the server by intent. */
export const FENCE_WAIT_MS = GRACE_SECONDS * 1000;

/** A session of another process that has done nothing for so long is taken for one that was left behind. */
const LEFT_BEHIND_SECONDS = 60;

/** What an operator should know of a session that holds a partition; see `MysqlStoreEvent`. */
export type FenceEvent =
  | { readonly type: 'session-killed'; readonly partition: number; readonly connection: number }
  | {
      readonly type: 'commit-awaited';
      readonly partition: number;
      readonly connection: number;
      readonly state: string;
    }
  | { readonly type: 'journal-shared'; readonly partition: number; readonly connection: number };

/** The sessions and locks that one process has had. */
export class OwnSessions {
  readonly #ids = new Set<number>();
  readonly #locks = new Set<string>();

  add(connectionId: number): void {
    this.#ids.add(connectionId);
    // The oldest ones are long over.
    for (const id of this.#ids) {
      if (this.#ids.size <= MAX_OWN_SESSIONS) break;
      this.#ids.delete(id);
    }
  }

  hasHeld(lock: string): void {
    this.#locks.add(lock);
  }

  /**
   * Whether the lock was ours before and is a stranger's now: another process works with the same journal, or with a
   * copy of it. What holds a lock that we never had may be a session of our own earlier run.
   */
  isStranger(connectionId: number, lock: string): boolean {
    return this.#locks.has(lock) && !this.#ids.has(connectionId);
  }
}

const MAX_OWN_SESSIONS = 10_000;

export interface FenceOptions {
  /** When to give up, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  /** Longest statement the server takes. */
  readonly maxPacketBytes: number;
  readonly own: OwnSessions;
  /** Told once of each session that is in the way for a reason a person should know. */
  readonly onEvent: (event: FenceEvent) => void;
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
  for await (const { partition } of heldLocks(query, journalId, options.maxPacketBytes)) {
    await takeLock(query, journalId, partition, options);
    await query(`DO RELEASE_LOCK('${lockName(journalId, partition)}')`);
  }
}

/**
 * A session that holds a partition of a journal; null when none does. A reporter has the lock of a partition from the
 * first row on that it stores of it: one that has stored nothing yet is not found.
 */
export async function lockHolder(query: Query, journalId: string): Promise<number | null> {
  for await (const { holder } of heldLocks(query, journalId, LEAST_PACKET_BYTES)) return holder;
  return null;
}

/** All partitions a journal may have had whose locks somebody holds. */
async function* heldLocks(
  query: Query,
  journalId: string,
  maxPacketBytes: number,
): AsyncGenerator<{ readonly partition: number; readonly holder: number }> {
  const together = Math.max(1, Math.min(LOCKS_A_STATEMENT, Math.floor(maxPacketBytes / BYTES_A_LOCK) - 1));
  for (let from = 0; from < MAX_PARTITIONS; from += together) {
    const count = Math.min(together, MAX_PARTITIONS - from);
    const looks = Array.from(
      { length: count },
      (_, index) => `IS_USED_LOCK('${lockName(journalId, from + index)}')`,
    );
    const [holders = []] = await lockQuery(query, `SELECT ${looks.join(',')}`);
    for (const [index, holder] of holders.entries()) {
      if (holder === null) continue;
      yield { partition: from + index, holder: Number(holder) };
    }
  }
}

/** 51 characters at most (the server takes 64), safe between quotes whatever the journal's id is. */
function lockName(journalId: string, partition: number): string {
  const journal = createHash('sha256').update(journalId).digest('hex').slice(0, 32);
  return `lars-reporter:${journal}:${partition}`;
}

/** Rejects with a StoreError that says why the lock did not come free, else with what the server says. */
async function takeLock(
  query: Query,
  journalId: string,
  partition: number,
  { deadlineMs, own, onEvent }: FenceOptions,
): Promise<void> {
  const name = lockName(journalId, partition);
  let told: FenceEvent | undefined;
  for (;;) {
    // One second at a time: a killed session may take long to roll back, and may be replaced by a later one of
    // the same writer, which waited for the lock behind it.
    const [[taken] = []] = await lockQuery(query, `SELECT GET_LOCK('${name}',${GRACE_SECONDS})`);
    if (Number(taken) === 1) {
      own.hasHeld(name);
      return;
    }
    const [[holder] = []] = await lockQuery(query, `SELECT IS_USED_LOCK('${name}')`);
    // Nobody, when it came free in this moment.
    const way = typeof holder === 'number' ? await clearTheWay(query, holder, name, own) : undefined;
    if (way?.type !== undefined && (way.type !== told?.type || holder !== told.connection)) {
      told = eventOf(way, partition, Number(holder));
      onEvent(told);
    }
    if (performance.now() >= deadlineMs) throw lockHeld(partition, holder, way);
  }
}

/** What is done about the session that holds a lock. Without a type: nothing that a person should know. */
type Way =
  | { readonly type: 'session-killed' }
  | { readonly type: 'commit-awaited'; readonly committing: ServerSession }
  | { readonly type: 'journal-shared' }
  | { readonly type?: undefined };

async function clearTheWay(query: Query, holder: number, lock: string, own: OwnSessions): Promise<Way> {
  const sessions = await serverSessions(query);
  const session = sessions.find(({ id }) => id === holder);
  // Gone in this moment, or at work in another user's name, whose sessions may not be seen nor killed.
  if (session === undefined) return {};
  const committing = isCommitting(session) ? session : sessions.find(isStuckInCommit);
  if (committing !== undefined) return { type: 'commit-awaited', committing };
  if (own.isStranger(holder, lock) && session.seconds < LEFT_BEHIND_SECONDS)
    return { type: 'journal-shared' };
  return (await killSession(query, holder)) ? { type: 'session-killed' } : {};
}

/**
 * While a commit takes this long, nothing is killed: a session that is about to commit would be in the same state
 * when the KILL arrives.
 */
function isStuckInCommit(session: ServerSession): boolean {
  return isCommitting(session) && session.seconds >= 1;
}

function eventOf(
  way: Way & { readonly type: FenceEvent['type'] },
  partition: number,
  connection: number,
): FenceEvent {
  return way.type === 'commit-awaited'
    ? { type: way.type, partition, connection, state: way.committing.state }
    : { type: way.type, partition, connection };
}

function lockHeld(partition: number, holder: unknown, way: Way | undefined): StoreError {
  const session = `connection ${holder} of partition ${partition}`;
  if (way?.type === 'commit-awaited') {
    const { id, seconds, state } = way.committing;
    return new StoreError(
      'retry-slowly',
      'COMMIT_HANGS',
      `connection ${id} has been in its commit for ${seconds} s (${state}): the database cannot write, most ` +
        "often because its disk is full. Make room on the database's disk; MySQL looks for it once a minute. " +
        'The session is not killed, since that can end the whole server; newer rows wait for it',
    );
  }
  if (way?.type === 'journal-shared')
    return new StoreError(
      'configuration',
      'JOURNAL_SHARED',
      `${session} belongs to another reporter that works with this journal or a copy of it, and took the ` +
        'partition over. Stop one of the two, or give one a journal.dir of its own; meanwhile rows wait here',
    );
  return new StoreError(
    'retry',
    'FENCE_HELD',
    `${session} is still at work, and ` +
      `${way?.type === 'session-killed' ? 'was killed' : 'may not be killed by this user'}; ` +
      'newer rows wait, else they could be overwritten by older ones',
  );
}

/**
 * Checks that named locks work on this server, whatever is in between. Rejects with StoreError `configuration` when
 * they do not: no writer could store a row.
 */
export async function checkLocks(query: Query): Promise<void> {
  const name = `lars-reporter:check:${randomUUID()}`;
  const [[taken, isOurs] = []] = await lockQuery(
    query,
    `SELECT GET_LOCK('${name}',0), IS_USED_LOCK('${name}')=CONNECTION_ID()`,
  );
  await lockQuery(query, `DO RELEASE_LOCK('${name}')`);
  if (Number(taken) === 1 && Number(isOurs) === 1) return;
  throw locksRefused(
    `GET_LOCK gave ${taken}, and the lock is ${isOurs ? '' : 'not '}held by this connection`,
  );
}

/** A server's refusal of a statement about locks is one of locks. */
async function lockQuery(query: Query, sql: string): ReturnType<Query> {
  try {
    return await query(sql);
  } catch (error) {
    if (isUnknownAnswer(error)) throw locksRefused((error as Error).message, error);
    throw error;
  }
}

function locksRefused(why: string, cause?: unknown): StoreError {
  return new StoreError(
    'configuration',
    'LOCKS_REFUSED',
    `named locks (GET_LOCK) do not work on this server: ${why}; without them an older row could overwrite a newer ` +
      'one. Name a server in store.url that has them, and nothing in between that spreads statements over sessions',
    { cause },
  );
}
