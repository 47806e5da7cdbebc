import { type Finding, notice, ok, warning } from '../../model/finding.js';
import { checkLocks, lockHolder } from './fence.js';
import type { MysqlServer } from './server.js';
import { readServerFacts, type ServerFacts } from './server-facts.js';
import { withMysql } from './store.js';
import { checkTable } from './table.js';

/** What the reporter asks of a server. */
export interface ServerNeeds {
  /** `writers.maxBatchRows`. */
  readonly maxBatchRows: number;
  /** `writers.count`. */
  readonly writers: number;
  readonly connectTimeoutMs: number;
  /** Of a journal that no reporter has in use; undefined where that is not known. */
  readonly idleJournal: string | undefined;
}

/** Of a row in a statement, at most. */
const BYTES_PER_ROW = 110;
/** Beside the writers: the view reads, names are read, and commands are run. */
const FURTHER_CONNECTIONS = 3;
const SLOW_ROUND_TRIP_MS = 20;
const CLOCK_S = 5;
const SHORT_WAIT_S = 60;
const MANY_ROWS = 5_000_000;

/** Looks at the server, the table and the rights of the user; changes nothing. Rejects with a StoreError. */
export async function diagnoseMysql(server: MysqlServer, needs: ServerNeeds): Promise<Finding[]> {
  return withMysql(
    server,
    async (query) => {
      await checkTable(query);
      await checkLocks(query);
      const holder = needs.idleJournal === undefined ? null : await lockHolder(query, needs.idleJournal);
      return [
        ...(holder === null ? [] : [copiedJournal(holder)]),
        ...judge(await readServerFacts(query), needs),
      ];
    },
    needs,
  );
}

function copiedJournal(connection: number): Finding {
  return warning(
    'journal-copied',
    `connection ${connection} of the database works for this journal, which no reporter has in use here`,
    'a reporter elsewhere runs with a copy of this journal: stop it, or give one of the two a journal.dir of its own',
  );
}

/** What a server's facts mean. */
export function judge(facts: ServerFacts, needs: ServerNeeds): Finding[] {
  return [
    ...judgeServer(facts),
    ...judgeDurability(facts),
    ...judgeLimits(facts, needs),
    ...judgeTable(facts),
    judgeIncidents(facts),
  ];
}

function* judgeServer({ variables, roundTripMs, clockAheadS }: ServerFacts): Generator<Finding> {
  const [version, comment] = [variables.get('version') ?? 'unknown', variables.get('version_comment') ?? ''];
  yield ok('server', `${comment} ${version}, a round trip takes ${roundTripMs.toFixed(1)} ms`.trim());
  if (roundTripMs > SLOW_ROUND_TRIP_MS)
    yield notice(
      'server-far',
      `a round trip to the database takes ${Math.round(roundTripMs)} ms`,
      'put the reporter near the database; else more writers (writers.count) help, since each has one statement on its way',
    );
  if (Math.abs(clockAheadS) >= CLOCK_S)
    yield warning(
      'database-clock',
      `the clock of the database is ${Math.abs(Math.round(clockAheadS))} s ${clockAheadS > 0 ? 'ahead of' : 'behind'} that of this machine`,
      'let both be set by NTP: SQL that asks for fresh rows (ts > UNIX_TIMESTAMP() - 60) is wrong by as much',
    );
  if (variables.get('wsrep_on') === 'ON' || variables.get('group_replication_single_primary_mode') === 'OFF')
    yield warning(
      'several-primaries',
      'the database is a cluster in which several servers take writes',
      'name one of its servers in store.url, not a balancer: the locks that keep rows in order live in one server',
    );
  if (variables.get('read_only') === 'ON')
    yield warning(
      'read-only',
      'the server is read-only for users without special rights',
      'is it a replica? Name the primary in store.url',
    );
}

function* judgeDurability({ variables }: ServerFacts): Generator<Finding> {
  const flush = variables.get('innodb_flush_log_at_trx_commit');
  if (flush !== undefined && flush !== '1')
    yield warning(
      'database-durability',
      `innodb_flush_log_at_trx_commit is ${flush}: a crash of the database's machine loses up to a second of rows that the journal has forgotten`,
      'set it to 1; until an agent reports such a key again, its row is an older one',
    );
  if (variables.get('log_bin') === 'ON' && variables.get('sync_binlog') === '0')
    yield notice(
      'binlog-durability',
      'sync_binlog is 0: after a crash of its machine the database and its replicas may differ',
      'set sync_binlog to 1 where replicas count',
    );
}

function* judgeLimits({ variables, connected }: ServerFacts, needs: ServerNeeds): Generator<Finding> {
  const number = (name: string) => Number(variables.get(name) ?? 0);
  const packet = number('max_allowed_packet');
  const wanted = needs.maxBatchRows * BYTES_PER_ROW;
  if (packet > 0 && packet < wanted)
    yield notice(
      'small-packets',
      `max_allowed_packet is ${packet} bytes, a full statement of writers.maxBatchRows takes up to ${wanted}`,
      'raise it, or lower writers.maxBatchRows: statements that do not fit are sent again in halves',
    );
  const seconds = number('wait_timeout');
  if (seconds > 0 && seconds < SHORT_WAIT_S)
    yield notice(
      'short-wait-timeout',
      `wait_timeout is ${seconds} s: connections that are quiet for so long are closed`,
      `raise it to ${SHORT_WAIT_S} s or more; nothing is lost, but writers connect again and again`,
    );
  const further = needs.writers + FURTHER_CONNECTIONS;
  const free = number('max_connections') - connected;
  if (number('max_connections') > 0 && free < further)
    yield warning(
      'few-connections',
      `${free} of max_connections ${number('max_connections')} are free, the reporter takes up to ${further}`,
      'raise max_connections, or lower writers.count',
    );
  const own = number('max_user_connections');
  if (own > 0 && own < further)
    yield warning(
      'few-user-connections',
      `max_user_connections is ${own}, the reporter takes up to ${further}`,
      'raise it, or lower writers.count',
    );
}

function* judgeTable({ rows, tableBytes, doubleKeys, mayDelete, names }: ServerFacts): Generator<Finding> {
  yield ok(
    'table',
    `ServerCallStatus is fine, about ${rows} rows, ${Math.ceil(tableBytes / 2 ** 20)} MiB; ${names} names of services are stored`,
  );
  for (const key of doubleKeys)
    yield notice(
      'double-key',
      `the key ${key} has the same columns as the primary key, and doubles the work of each new row`,
      `ALTER TABLE ServerCallStatus DROP INDEX ${key}`,
    );
  if (rows >= MANY_ROWS)
    yield notice(
      'many-rows',
      `the table has about ${rows} rows, and nothing removes those of hosts and callers that are gone`,
      'lars-reporter forget --before 30d --dry-run says how many were not heard for a month',
    );
  if (!mayDelete)
    yield notice(
      'no-delete',
      'this user may not delete rows; the reporter need not',
      'for lars-reporter forget: GRANT DELETE on ServerCallStatus',
    );
}

function judgeIncidents({ incidents }: ServerFacts): Finding {
  if (incidents === undefined) return ok('incidents', 'incidents are copied into ServerCallIncident');
  if (incidents === 'no-table')
    return ok(
      'incidents',
      'incidents are not copied: there is no table ServerCallIncident that this user may see',
    );
  return warning(
    'incidents-not-copied',
    `ServerCallIncident is there, and incidents cannot be copied into it: ${incidents.refusal}`,
    'GRANT SELECT, INSERT, UPDATE on ServerCallIncident, or make it as schema/server_call_incident.sql has it; the history has them meanwhile',
  );
}
