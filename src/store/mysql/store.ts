import type { BackoffLimits } from '../../model/backoff.js';
import { StoreError } from '../../model/errors.js';
import type { RowBatch } from '../../model/row.js';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_QUERY_TIMEOUT_MS, describeStoreAddress } from '../address.js';
import type { Store, StoreLane, StoreWriter } from '../contract.js';
import type { StoreTlsKeys } from '../store-tls.js';
import { classifyMysqlError, isSessionSound } from './errors.js';
import {
  checkLocks,
  FENCE_WAIT_MS,
  type FenceEvent,
  MAX_PARTITIONS,
  OwnSessions,
  outlastEarlierRuns,
  takeLane,
} from './fence.js';
import { Logins } from './logins.js';
import { MysqlConnection, type Query } from './mysql-connection.js';
import { forgetOldRows } from './old-rows.js';
import { type MysqlServer, mysqlServer } from './server.js';
import { checkTable, KEY_COLUMNS, readTable, type TableShape } from './table.js';
import { mysqlReader } from './table-rows.js';
import { UpsertText } from './upsert.js';

export interface MysqlTimeouts {
  /** Milliseconds a statement may take before its connection is given up and its session killed; 10000. */
  readonly queryTimeoutMs?: number;
  /** Milliseconds for connecting and logging in, and for each statement of the preparation; 5000. */
  readonly connectTimeoutMs?: number;
}

export interface MysqlStoreOptions extends MysqlTimeouts {
  /** `mysql://user:password@host:port/database`, parts percent-encoded. */
  readonly url: string;
  /** In the place of the two above, and of the password: asked for whenever they are needed, as they may change. */
  readonly live?: MysqlTimeouts & { readonly url: string };
  /** How the connections are protected, as far as the URL does not say it. */
  readonly tls?: StoreTlsKeys;
  /** Milliseconds a new connection waits for the statement of the one before it to be over; 15000. */
  readonly lockTimeoutMs?: number;
  /** Between logins that are refused: from 5 s to 5 min unless given. */
  readonly loginPauses?: BackoffLimits;
  /** Told of what an operator should see in the log; must not throw. */
  readonly onEvent?: (event: MysqlStoreEvent) => void;
}

/**
 * An earlier session of this journal still holds the partition in the database; `connection` is its id there.
 * - `session-killed`: it was killed.
 * - `commit-awaited`: it is in its commit, or another session is stuck in one, and nothing is killed: the database
 *   cannot write, most often because its disk is full. `state`: what the database says it does.
 * - `journal-shared`: it belongs to another process that works with the same journal or a copy of it.
 */
export type MysqlStoreEvent = FenceEvent;

/** The options with defaults filled in, shared by the parts of one store. */
interface Settings {
  readonly server: MysqlServer;
  readonly description: string;
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly onEvent: (event: MysqlStoreEvent) => void;
  readonly logins: Logins;
  readonly own: OwnSessions;
}

/**
 * A table `ServerCallStatus` in MySQL or MariaDB. Each writer has a connection of its own, opened at its first
 * upsert and again after a failure; nothing is retried here. An upsert settles within connectTimeoutMs (several
 * times, for connecting and preparing) + lockTimeoutMs + queryTimeoutMs.
 *
 * Throws StoreError `configuration` when the URL is broken.
 */
export function mysqlStore(options: MysqlStoreOptions): Store {
  const live = options.live ?? options;
  let { url } = live;
  let server = mysqlServer(url, options.tls);
  const logins = new Logins(options.loginPauses);
  const settings: Settings = {
    get server() {
      if (url === live.url) return server;
      url = live.url;
      server = mysqlServer(url, options.tls);
      logins.forget();
      return server;
    },
    description: describeStoreAddress(server),
    get queryTimeoutMs() {
      return live.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS;
    },
    get connectTimeoutMs() {
      return live.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    },
    lockTimeoutMs: options.lockTimeoutMs ?? 15_000,
    onEvent: options.onEvent ?? (() => {}),
    logins,
    own: new OwnSessions(),
  };
  const earlierRuns = new EarlierRuns();
  const reader = mysqlReader(settings);
  const check = () =>
    withMysql(
      settings.server,
      async (query) => {
        await prepareSession(query, settings.queryTimeoutMs);
        await checkTable(query);
        await checkLocks(query);
      },
      settings,
    );
  return {
    description: settings.description,
    open: check,
    check,
    writer: (lane) => {
      if (lane.partitions > MAX_PARTITIONS)
        throw new StoreError(
          'configuration',
          'TOO_MANY_PARTITIONS',
          `${lane.partitions} writers, at most ${MAX_PARTITIONS} can be kept apart`,
        );
      return new MysqlWriter(settings, lane, earlierRuns);
    },
    read: reader,
    forget: (order) => forgetOldRows(settings, reader, order),
    close: async () => {},
  };
}

/**
 * Runs `use` on a connection of its own and ends it. Rejects with a StoreError: of `use`, or of the server,
 * classed as nothing written.
 */
export async function withMysql<Result>(
  server: MysqlServer,
  use: (query: Query) => Promise<Result>,
  { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS }: { connectTimeoutMs?: number } = {},
): Promise<Result> {
  let connection: MysqlConnection | undefined;
  try {
    connection = await MysqlConnection.connect(server, connectTimeoutMs);
    return await use(bounded(connection, connectTimeoutMs));
  } catch (error) {
    throw classifyMysqlError(error, describeStoreAddress(server), false);
  } finally {
    await connection?.close(connectTimeoutMs);
  }
}

/** A connection that holds its partition's lock: everything an upsert needs. */
interface Session {
  readonly connection: MysqlConnection;
  readonly shape: TableShape;
  readonly text: UpsertText;
  /** Longest statement the server takes. */
  readonly maxPacketBytes: number;
  /** What it was prepared for. */
  readonly queryTimeoutMs: number;
}

class MysqlWriter implements StoreWriter {
  readonly #settings: Settings;
  readonly #lane: StoreLane;
  readonly #earlierRuns: EarlierRuns;
  #session: Session | undefined;
  /** Of the call under way. */
  #connection: MysqlConnection | undefined;
  readonly #abandoned = new AbortController();

  constructor(settings: Settings, lane: StoreLane, earlierRuns: EarlierRuns) {
    this.#settings = settings;
    this.#lane = lane;
    this.#earlierRuns = earlierRuns;
  }

  async upsert(rows: RowBatch): Promise<void> {
    if (rows.length === 0) return;
    const session = (await this.#soundSession()) ?? (await this.#connect());
    const statement = session.text.statement(rows.words);
    // The server answers an oversized packet by closing in the middle of it, which looks like a lost connection.
    if (statement.length + COMMAND_BYTES > session.maxPacketBytes)
      throw tooLarge(rows.length, statement.length, session.maxPacketBytes);
    try {
      await session.connection.query(statement, this.#settings.queryTimeoutMs);
    } catch (thrown) {
      throw await this.#settle(session, thrown, rows.length);
    }
  }

  abandon(): void {
    this.#abandoned.abort();
    this.#connection?.destroy();
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.connection.close(Math.min(GOOD_BYE_MS, this.#settings.connectTimeoutMs));
  }

  /** The session there is, if it can be used; one that was prepared for another time-out is ended. */
  async #soundSession(): Promise<Session | undefined> {
    const session = this.#session;
    if (!session?.connection.usable) return undefined;
    if (session.queryTimeoutMs === this.#settings.queryTimeoutMs) return session;
    await this.close();
    return undefined;
  }

  /** Connects, prepares the session, checks the table, and waits until it is this partition's only writer. */
  async #connect(): Promise<Session> {
    this.#session = undefined;
    const { server, description, connectTimeoutMs, queryTimeoutMs, lockTimeoutMs, logins, own, onEvent } =
      this.#settings;
    let connection: MysqlConnection | undefined;
    try {
      const { signal } = this.#abandoned;
      connection = await logins.attempt(() => MysqlConnection.connect(server, connectTimeoutMs, signal));
      this.#connection = connection;
      signal.throwIfAborted();
      const query = bounded(connection, connectTimeoutMs);
      const { maxPacketBytes, id } = await prepareSession(query, queryTimeoutMs);
      own.add(id);
      // Anew on each connection: tables are altered while stores are down for maintenance.
      const shape = await checkTable(query);
      const patient = bounded(connection, connectTimeoutMs + FENCE_WAIT_MS);
      const fence = {
        deadlineMs: performance.now() + lockTimeoutMs,
        maxPacketBytes,
        own,
        onEvent,
      };
      await this.#earlierRuns.over(this.#lane.journalId, () =>
        outlastEarlierRuns(patient, this.#lane.journalId, fence),
      );
      await takeLane(patient, this.#lane, fence);
      this.#session = {
        connection,
        shape,
        text: new UpsertText(shape.signs),
        maxPacketBytes,
        queryTimeoutMs,
      };
      return this.#session;
    } catch (error) {
      connection?.destroy();
      throw classifyMysqlError(error, `connecting to ${description}`, false);
    }
  }

  /** Classes the failure of an upsert, and decides whether its connection may be used again. */
  async #settle(session: Session, thrown: unknown, rows: number): Promise<StoreError> {
    const { description, connectTimeoutMs } = this.#settings;
    let error = classifyMysqlError(thrown, `upsert of ${rows} rows into ${description}`, true);
    if (error.code === 'ER_WARN_DATA_OUT_OF_RANGE' && session.connection.usable) {
      // No row is out of range of the columns that were checked: one was altered since, and no row is to blame.
      const shape = await readTable(bounded(session.connection, connectTimeoutMs)).catch(() => undefined);
      if (
        shape === undefined ||
        KEY_COLUMNS.some((name) => shape.signs[name] !== session.shape.signs[name])
      ) {
        session.connection.destroy();
        return new StoreError('retry', 'TABLE_CHANGED', `${error.message}; the table was altered`, {
          cause: thrown,
        });
      }
    }
    if (error.class === 'too-large' && rows === 1) error = tooLarge(1, undefined, undefined);
    if (!isSessionSound(thrown)) session.connection.destroy();
    return error;
  }
}

/** A server that does not answer is not waited for longer when its connection is closed. */
const GOOD_BYE_MS = 1000;

/** What a packet holds beside the statement: the command, and on MySQL 8 the counts of query attributes. */
const COMMAND_BYTES = 3;

/**
 * Once per journal, before the first upsert of this run: the sessions of earlier runs are over. While one
 * writer waits for that, the others wait with it.
 */
class EarlierRuns {
  readonly #over = new Map<string, Promise<void>>();

  over(journalId: string, outlast: () => Promise<void>): Promise<void> {
    const known = this.#over.get(journalId);
    if (known !== undefined) return known;
    const waiting = outlast();
    this.#over.set(journalId, waiting);
    waiting.catch(() => this.#over.delete(journalId));
    return waiting;
  }
}

/** Longest the server may wait for a row that another transaction has locked: other rows wait meanwhile. */
const MAX_LOCK_SECONDS = 5;

/** Sets up the session. `maxPacketBytes`: of the largest packet the server takes; `id`: the server's of the session. */
async function prepareSession(
  query: Query,
  queryTimeoutMs: number,
): Promise<{ maxPacketBytes: number; id: number }> {
  // The server should give up waiting for locks, and say so, before we give up waiting for the server.
  const lockSeconds = Math.max(1, Math.min(MAX_LOCK_SECONDS, Math.floor(queryTimeoutMs / 2_000)));
  await query(
    // Strict: what does not fit is an error, never another value; nor is a zero, in an AUTO_INCREMENT column.
    // Autocommit: a server may have it off.
    "SET SESSION sql_mode='STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION," +
      "NO_AUTO_VALUE_ON_ZERO',autocommit=1," +
      `innodb_lock_wait_timeout=${lockSeconds},lock_wait_timeout=${lockSeconds}`,
  );
  const [[bytes, id] = []] = await query('SELECT @@SESSION.max_allowed_packet,CONNECTION_ID()');
  return { maxPacketBytes: Number(bytes), id: Number(id) };
}

/** Half of the rows may fit; when one does not, none does, for all rows are of about the same size. */
function tooLarge(rows: number, bytes: number | undefined, maxPacketBytes: number | undefined): StoreError {
  const code = 'ER_NET_PACKET_TOO_LARGE';
  const statement = `a statement of ${rows} rows${bytes === undefined ? '' : `, ${bytes} bytes,`}`;
  const limit = `max_allowed_packet${maxPacketBytes === undefined ? '' : ` of ${maxPacketBytes}`}`;
  return rows > 1
    ? new StoreError('too-large', code, `${statement} is larger than the server's ${limit}`)
    : new StoreError(
        'configuration',
        code,
        `even ${statement} is larger than the server's ${limit}, or than what is in between takes; raise it`,
      );
}

function bounded(connection: MysqlConnection, timeoutMs: number): Query {
  return (sql) => connection.query(sql, timeoutMs);
}
