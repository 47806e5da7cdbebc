import { connect as connectSocket, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Connection, createConnection } from 'mysql2';
import { explainSilence, foreignGreeting, foreignServer } from './greeting.js';
import { lookupApart } from './lookup.js';
import { loginFailure, secureOptions, strangerProblem, tlsFailure } from './secure.js';
import type { MysqlServer } from './server.js';

/** A cell as the text protocol gives it; integers beyond 2^53 come as text. */
export type Cell = string | number | null;

/** Runs one statement; resolves with its rows, each an array of cells, or with none. */
export type Query = (sql: string) => Promise<readonly (readonly Cell[])[]>;

/** An idle connection notices after some of these that the server's machine is gone. */
const KEEP_ALIVE_MS = 30_000;

/** One connection. It never comes back to life: once `usable` is false, open another. */
export class MysqlConnection {
  readonly #socket: Socket;
  /** What lies over the socket, with TLS: to destroy what is below it would pull it from under OpenSSL. */
  #secure: TLSSocket | undefined;
  readonly #connection: Connection;
  #usable = true;
  /** Rejects the statement under way; mysql2 forgets it when a connection is destroyed. */
  #abandon: ((error: Error) => void) | undefined;

  private constructor(socket: Socket, connection: Connection) {
    this.#socket = socket;
    this.#connection = connection;
    // An idle connection tells of its end this way, and without a listener it would end the process.
    connection.on('error', () => {
      this.#usable = false;
    });
  }

  /**
   * Connects and logs in within `timeoutMs`, unless `signal` ends it. Rejects with what mysql2 throws, or with a
   * StoreError where something other than a server of MySQL, or none that is believed, is at the other end.
   */
  static async connect(
    server: MysqlServer,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<MysqlConnection> {
    if (signal?.aborted) throw abandoned();
    const secure = secureOptions(server);
    // mysql2's destroy() only ends its socket politely and goes on sending what it has buffered: keep the socket.
    const socket = socketTo(server, timeoutMs);
    const connection = createConnection({
      ...secure,
      host: server.host,
      user: server.user,
      // With TLS, it is given when the server is known.
      password: secure.ssl ? '' : server.password,
      database: server.database,
      stream: () => socket,
      connectTimeout: timeoutMs,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      // Statements come without placeholders; looking for some in 75 KB of digits takes 0.25 µs a row.
      queryFormat: (sql: string) => sql,
    });
    const opened = new MysqlConnection(socket, connection);
    return new Promise<MysqlConnection>((resolve, reject) => {
      const fail = (error: Error) => {
        opened.destroy();
        reject(error);
      };
      let isSilent = false;
      const onAbort = () => fail(abandoned());
      signal?.addEventListener('abort', onAbort);
      socket.once('connect', () => {
        isSilent = true;
      });
      socket.once('data', (bytes) => {
        isSilent = false;
        const foreign = foreignGreeting(bytes);
        if (foreign !== undefined) fail(foreignServer(server, foreign));
      });
      if (secure.ssl) opened.#whenSecured(server, fail);
      connection.connect((error) => {
        signal?.removeEventListener('abort', onAbort);
        if (error === null) return resolve(opened);
        fail(loginFailure(error) ?? (isSilent ? explainSilence(error, timeoutMs) : error));
      });
    });
  }

  /** Gives the password when TLS stands and the server is the right one, and no sooner. */
  #whenSecured(server: MysqlServer, fail: (error: Error) => void): void {
    // mysql2 makes its TLS socket of a greeting, which may come in pieces, and logs in when that socket is secure.
    const look = () => {
      const { stream } = this.#connection as unknown as { readonly stream: unknown };
      if (!(stream instanceof TLSSocket)) return;
      this.#socket.off('data', look);
      this.#secure = stream;
      stream.prependOnceListener('secureConnect', () => {
        const problem = strangerProblem(server, stream);
        if (problem) fail(problem);
        else this.#connection.config.password = server.password;
      });
      // mysql2 puts a code of its own in the place of the one that says what is wrong.
      stream.prependOnceListener('error', (error) => {
        const failure = stream.authorized ? undefined : tlsFailure(server, error);
        if (failure) fail(failure);
      });
    };
    this.#socket.on('data', look);
  }

  /** False once the connection is lost or destroyed. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Runs one statement at a time. Rejects with what mysql2 throws; when that leaves the connection in an
   * unknown state (no answer within `timeoutMs`, connection lost), the connection is destroyed.
   */
  query(sql: string, timeoutMs: number): Promise<readonly (readonly Cell[])[]> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject;
      this.#connection.query({ sql, timeout: timeoutMs, rowsAsArray: true }, (error, result) => {
        this.#abandon = undefined;
        if (error === null) return resolve(Array.isArray(result) ? (result as unknown as Cell[][]) : []);
        // Only an answer of the server itself carries a number above zero.
        if (!(error.errno !== undefined && error.errno > 0) || error.fatal) this.destroy();
        reject(error);
      });
    });
  }

  /** Says good-bye to the server, waiting for it no longer than `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    if (!this.#usable) return this.destroy();
    this.#usable = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#connection.end();
    });
    this.destroy();
  }

  /** Ends the connection at once; what the system has not taken over for sending is never sent. */
  destroy(): void {
    this.#usable = false;
    this.#connection.destroy();
    (this.#secure ?? this.#socket).destroy();
    this.#abandon?.(abandoned());
    this.#abandon = undefined;
  }
}

function socketTo({ host, port, options }: MysqlServer, timeoutMs: number): Socket {
  if (options?.socket !== undefined) return connectSocket({ path: options.socket });
  const socket = connectSocket({ host, port, noDelay: true, lookup: lookupApart(timeoutMs) });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

function abandoned(): Error {
  return Object.assign(new Error('connection destroyed'), { code: 'PROTOCOL_CONNECTION_LOST' });
}
