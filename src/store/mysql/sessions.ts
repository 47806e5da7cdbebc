import type { Query } from './mysql-connection.js';

/** A session of the server, as SHOW PROCESSLIST has it: other users' are seen with the right PROCESS only. */
export interface ServerSession {
  readonly id: number;
  /** `Sleep` when it is idle. */
  readonly command: string;
  /** How long it has been in its command. */
  readonly seconds: number;
  /** What the session does within its statement. */
  readonly state: string;
}

const NO_SUCH_THREAD = 1094;
const KILL_DENIED = 1095;

/**
 * States of a session that commits, of MySQL from 5.7 on and MariaDB: `waiting for handler commit`, `query end` (in
 * which 5.7 commits), `Commit`, `Writing to binlog`, `Waiting for semi-sync ACK from replica`, and the waits of
 * group commit and of a full disk.
 */
const COMMITTING = /commit|query end|bin(ary )?log|semi-?sync|transaction changes|gtid|free space/i;

/**
 * Commands of sessions that commit nothing, whatever their state. `Binlog Dump` serves a replica: it says all its life
 * that it has sent the binary log, or sends it.
 */
const COMMITS_NOTHING = /^(sleep|daemon|binlog dump)/i;

/**
 * The sessions that this user may see. SHOW PROCESSLIST rather than information_schema: the latter makes a temporary
 * table, for which a full disk has no room.
 */
export async function serverSessions(query: Query): Promise<ServerSession[]> {
  const rows = await query('SHOW PROCESSLIST');
  // Id, User, Host, db, Command, Time, State, Info.
  return rows.map(([id, , , , command, seconds, state]) => ({
    id: Number(id),
    command: String(command),
    seconds: Number(seconds ?? 0),
    state: String(state ?? ''),
  }));
}

/**
 * Whether a session is in its commit: nothing can undo its statement any more. To kill it may end the whole server:
 * a MySQL that cannot write its binary log, because the disk is full, waits there for room; when a KILL ends the
 * wait, the write counts as failed, and `binlog_error_action=ABORT_SERVER`, its default, stops the server.
 */
export function isCommitting({ command, state }: ServerSession): boolean {
  return !COMMITS_NOTHING.test(command) && COMMITTING.test(state);
}

/**
 * Kills a session, if it still is there. False when the server refuses: users may kill their own sessions only,
 * and a session that is in a trigger counts as the trigger's maker's for that long.
 */
export async function killSession(query: Query, id: number): Promise<boolean> {
  try {
    await query(`KILL ${id}`);
    return true;
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (errno === NO_SUCH_THREAD) return true;
    if (errno === KILL_DENIED) return false;
    throw error;
  }
}
