import { StoreError, type StoreErrorClass } from '../../model/errors.js';
import { fieldsOf, textOf } from '../thrown.js';

/**
 * The one place that decides what a failure of MySQL or MariaDB means. Codes that stand in no table below are
 * `retry-slowly`: said loudly, tried again with long pauses, and found by the writer's bisect when they follow
 * one row.
 */
interface Verdict {
  readonly class: StoreErrorClass;
  /** True for an answer after which the statement may have been applied all the same. */
  readonly maybeApplied?: true;
  /** True for a refusal whose reason nobody knows. */
  readonly mayBeOneRow?: true;
  /** True when a statement of fewer rows may fit into its time. */
  readonly tooSlow?: true;
  /** True for an answer that leaves nothing unsure: the server is the right one, and its session is as it was. */
  readonly isSessionSound?: true;
}

/** Server answers by number. A statement answered with one of these was rolled back, except where said. */
const byErrno: ReadonlyMap<number, Verdict> = new Map([
  ...rows({ class: 'retry' }, [
    1020, // record changed since last read (innodb_snapshot_isolation)
    1040, // too many connections
    1047, // cluster node without quorum
    1203, // this user has too many connections
    1412, // table definition changed under the transaction
    3058, // deadlock among named locks
    3101, // group replication rolled the transaction back
  ]),
  ...rows({ class: 'retry', isSessionSound: true }, [
    1213, // deadlock, or a cluster's certification failure
  ]),
  ...rows({ class: 'retry', tooSlow: true, isSessionSound: true }, [
    1205, // lock wait timeout
  ]),
  ...rows({ class: 'retry', maybeApplied: true, tooSlow: true }, [
    1969, // max_statement_time exceeded (MariaDB)
    3024, // maximum execution time exceeded (MySQL)
  ]),
  ...rows({ class: 'retry', maybeApplied: true }, [
    1053, // server shuts down
    1180, // the commit failed
    1317, // query interrupted
    1927, // connection was killed (MariaDB)
    3168, // the server cannot be reached by this session any more (MySQL)
    3169, // the session was killed (MySQL)
    4031, // closed for inactivity (MySQL 8)
    4081, // the pool took the connection back (MySQL)
    4082, // the pool shut the connection down (MySQL)
  ]),
  ...rows({ class: 'retry-slowly' }, [
    1021, // disk full
    1114, // table full
    1129, // host blocked after too many connection errors
    1226, // this user has used up what it may in an hour
    1290, // read-only server, among other options that forbid the statement
    1792, // read-only transaction
    1836, // read-only server
    3032, // the server is in offline mode (MySQL)
    3100, // a plugin of replication refused the commit (MySQL)
  ]),
  ...rows({ class: 'too-large' }, [
    1153, // packet larger than max_allowed_packet
    1390, // too many placeholders
  ]),
  ...rows({ class: 'poison', isSessionSound: true }, [
    1048, // null in a NOT NULL column
    1264, // out of range
    1265, // data truncated
    1292, // wrong value
    1366, // wrong value for the column
    1406, // data too long
    1452, // foreign key
    1526, // no partition for the value
    1644, // a trigger's SIGNAL
    1690, // out of range in an expression of a trigger or generated column
    3819, // CHECK (MySQL)
    4025, // CHECK (MariaDB)
  ]),
  ...rows({ class: 'configuration' }, [
    1044, // access to the database denied
    1045, // wrong user or password
    1049, // unknown database
    1054, // no such column
    1130, // this host may not connect
    1142, // access to the table denied
    1143, // access to a column denied
    1146, // no such table
    1227, // privilege missing
    1251, // the server wants another way to log in
    1364, // a further column has no default
    1698, // access denied without a password
    1820, // password expired
    1862, // password expired
    3118, // account locked
    3159, // only encrypted connections are taken (MySQL)
    3955, // account blocked after failed logins (MySQL)
    4151, // account locked (MariaDB)
  ]),
]);

/** MariaDB's own numbers, to which mysql2 gives the names MySQL has for them. */
const mariadbNames: ReadonlyMap<number, string> = new Map([
  [1927, 'ER_CONNECTION_KILLED'],
  [1969, 'ER_STATEMENT_TIMEOUT'],
  [4025, 'ER_CONSTRAINT_FAILED'],
  [4151, 'ER_ACCOUNT_HAS_BEEN_LOCKED'],
]);

const PASSWORD_HINT =
  'check user and password (store.url, store.passwordFile); a server or an account that demands TLS refuses with the ' +
  'same words: set store.tls.mode there';
const GRANT_HINT = 'this user needs SELECT, INSERT and UPDATE on ServerCallStatus';
/** The server names the table, and what is missing. */
const TABLE_GRANT_HINT = 'this user needs SELECT, INSERT and UPDATE on that table';

/** What a person can do about it. */
const hints: ReadonlyMap<number, string> = new Map([
  [1044, GRANT_HINT],
  [1045, PASSWORD_HINT],
  [1049, 'create the database, or name another one in store.url'],
  [1054, 'lars-reporter check --store says what the table lacks'],
  [1142, TABLE_GRANT_HINT],
  [1143, TABLE_GRANT_HINT],
  [1146, 'lars-reporter migrate creates the table'],
  [1226, 'raise the limits of this account, such as MAX_QUERIES_PER_HOUR, or wait until the hour is over'],
  [1698, PASSWORD_HINT],
  [3118, 'unlock the account: ALTER USER … ACCOUNT UNLOCK'],
  [3159, 'the server takes encrypted connections only (require_secure_transport): set store.tls.mode'],
  [
    3955,
    'correct the password (store.url, store.passwordFile), then unlock the account: ALTER USER … ACCOUNT UNLOCK',
  ],
  [4151, 'unlock the account: ALTER USER … ACCOUNT UNLOCK'],
]);

/** Refusals of a login, which servers count: an account may be blocked after some of them. */
const LOGIN_REFUSALS: ReadonlySet<number> = new Set([1045, 1698, 1862, 3118, 3955, 4151]);

/** Whether the server refused user or password. */
export function isLoginRefusal(thrown: unknown): boolean {
  return LOGIN_REFUSALS.has(fieldsOf(thrown).errno ?? 0);
}

/** Whether the server itself refused a statement, for a reason that stands in no table here. */
export function isUnknownAnswer(thrown: unknown): boolean {
  const { errno = 0 } = fieldsOf(thrown);
  return errno > 0 && !byErrno.has(errno);
}

/**
 * Whether a session goes on after this answer to a statement. A server that is read-only or refuses us may have been
 * replaced by another one at the same address: only a new connection finds out.
 */
export function isSessionSound(thrown: unknown): boolean {
  return byErrno.get(fieldsOf(thrown).errno ?? 0)?.isSessionSound === true;
}

/** What a person can do about a failure that has no number. */
const hintsByCode: ReadonlyMap<string, string> = new Map([
  [
    'AUTH_SWITCH_PLUGIN_ERROR',
    'give the account a way to log in that is known here: caching_sha2_password or mysql_native_password; ' +
      'ed25519 is not',
  ],
  ['PROTOCOL_SEQUENCE_TIMEOUT', 'see store.queryTimeoutMs'],
]);

/** Failures of the way to the server, or of a local disk, by code. Here the statement may have been applied. */
const byCode: ReadonlyMap<string, StoreErrorClass> = new Map<string, StoreErrorClass>([
  ['ECONNREFUSED', 'retry'],
  ['ECONNRESET', 'retry'],
  ['EPIPE', 'retry'],
  ['ETIMEDOUT', 'retry'],
  ['EHOSTUNREACH', 'retry'],
  ['ENETUNREACH', 'retry'],
  ['ENETDOWN', 'retry'],
  ['EADDRNOTAVAIL', 'retry'],
  ['EAI_AGAIN', 'retry'],
  ['PROTOCOL_CONNECTION_LOST', 'retry'],
  ['PROTOCOL_SEQUENCE_TIMEOUT', 'retry'],
  ['AUTH_SWITCH_PLUGIN_ERROR', 'configuration'],
]);

function rows(verdict: Verdict, numbers: readonly number[]): [number, Verdict][] {
  return numbers.map((errno) => [errno, verdict]);
}

/**
 * Classes what mysql2 threw, or an error of the operating system on the way to the server.
 *
 * @param doing what was tried, for the message: `upsert of 1000 rows into mysql://…`; holds no secret
 * @param sent whether rows had been sent: without, nothing can have been applied
 */
export function classifyMysqlError(thrown: unknown, doing: string, sent: boolean): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const { errno, code: given, fatal } = fieldsOf(thrown);
  const code = mariadbNames.get(errno ?? 0) ?? given;
  // The statement hangs on mysql2's errors: a hundred kilobytes of rows that would land in every log line.
  if (thrown instanceof Error && 'sql' in thrown) delete thrown.sql;

  const answered = errno === undefined ? undefined : byErrno.get(errno);
  const verdict: Verdict =
    (sent ? answered : withoutRows(answered)) ??
    // A number above zero is the server's own: it read the statement and refused it.
    (errno !== undefined && errno > 0
      ? { class: 'retry-slowly', mayBeOneRow: true }
      : {
          class: byCode.get(code ?? '') ?? (fatal ? 'retry' : 'retry-slowly'),
          maybeApplied: true,
          ...(code === 'PROTOCOL_SEQUENCE_TIMEOUT' ? { tooSlow: true } : {}),
        });
  const hint = hints.get(errno ?? 0) ?? hintsByCode.get(code ?? '');
  const message = `${doing}: ${textOf(thrown)}${hint === undefined ? '' : `; ${hint}`}`;
  return new StoreError(verdict.class, code ?? String(errno ?? 'UNKNOWN'), message, {
    cause: thrown,
    maybeApplied: sent && verdict.maybeApplied === true,
    mayBeOneRow: sent && verdict.mayBeOneRow === true,
    tooSlow: sent && verdict.tooSlow === true,
  });
}

/** A failure of anything but the rows' own statement never blames a row, whatever the server says. */
function withoutRows(verdict: Verdict | undefined): Verdict | undefined {
  const blamesRows = verdict?.class === 'poison' || verdict?.class === 'too-large';
  return blamesRows ? { class: 'retry-slowly' } : verdict;
}
