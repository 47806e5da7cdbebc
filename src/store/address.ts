import { isIP } from 'node:net';
import { StoreError } from '../model/errors.js';
import { isLoopback } from '../model/loopback.js';
import { readUrlOptions, resolveUrlOptions, type UrlOptions, writeUrlOptions } from './url-options.js';

/**
 * Where a store is: the one reading of `store.url`. Configuration, store, masking and description all go by it.
 *
 *     embedded:DIR
 *     mysql://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?OPTIONS]
 *             └── percent-encoded ──┘        └ too ┘  see url-options.ts
 *
 * Several hosts are told apart here and refused with words, so that they can be taken later without another reading of
 * the same text.
 */
export type StoreAddress = EmbeddedAddress | MysqlAddress;

export interface EmbeddedAddress {
  readonly kind: 'embedded';
  /** As configured. An address with this field is `KIND:DIR`, and its relative path is resolved with the others. */
  readonly dir: string;
}

export interface MysqlAddress {
  readonly kind: 'mysql';
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty when there is none. */
  readonly password: string;
  readonly database: string;
  /** What stands behind the `?`; absent when nothing does. */
  readonly options?: UrlOptions;
}

/** An address that names no store. */
export interface UnusableAddress {
  readonly kind: 'unusable';
  /** What is wrong and what to write instead; no word of the text itself, any part of which may be the password. */
  readonly problem: string;
}

/** Longest wait for a connection, in milliseconds, unless configured. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 5000;
/** Longest wait for a statement, in milliseconds, unless configured. */
export const DEFAULT_QUERY_TIMEOUT_MS = 10_000;

const EMBEDDED = 'embedded:';
const MYSQL = 'mysql://';
const MYSQL_PORT = 3306;
const FORM = 'mysql://user:password@host:port/database';
/** All forms of an address, as messages and `describeConfig` name them. */
export const STORE_FORMS = `embedded:DIR or ${FORM}`;
const ENCODED = 'in user and password @ is written %40, / %2F, : %3A, # %23, ? %3F, % %25';

const SOCKET_FILE =
  'names a socket file in the wrong place: write mysql://user:password@localhost/database?socket=/run/mysqld/mysqld.sock';

/** Reads a store's address. */
export function readStoreAddress(url: string): StoreAddress | UnusableAddress {
  // White space and control characters are in no address; a reader that skips them connects to another one.
  if (/[\s\p{Cc}]/u.test(url) && !url.startsWith(EMBEDDED)) {
    return unusable(`holds white space or a line end, which no address has; expected ${STORE_FORMS}`);
  }
  if (url.startsWith(EMBEDDED)) return readEmbedded(url.slice(EMBEDDED.length));
  if (url.startsWith(MYSQL)) return readMysql(url.slice(MYSQL.length));
  if (/^(jdbc:)?mariadb:|^jdbc:mysql:/i.test(url)) {
    return unusable(`expected ${STORE_FORMS}; MariaDB is written mysql://, too`);
  }
  return unusable(`expected ${STORE_FORMS}`);
}

/** As `readStoreAddress`; throws StoreError `configuration` for an address that names no store. */
export function storeAddress(url: string): StoreAddress {
  const address = readStoreAddress(url);
  if (address.kind !== 'unusable') return address;
  throw new StoreError('configuration', 'STORE_URL', `store.url ${address.problem}`);
}

/** The address for logs and people: everything but the password. */
export function describeStoreAddress(address: StoreAddress): string {
  if ('dir' in address) return withFolder(address);
  const { user, password, host, port, database, options = {} } = address;
  const login = encodeURIComponent(user) + (password === '' ? '' : ':***');
  const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}/${encodeURIComponent(database)}`;
  return `${MYSQL}${login}@${place}${writeUrlOptions(options)}`;
}

/** As `describeStoreAddress`. Of an address that cannot be read, only the scheme is left. */
export function describeStoreUrl(url: string): string {
  const address = readStoreAddress(url);
  if (address.kind !== 'unusable') return describeStoreAddress(address);
  if (url.startsWith(EMBEDDED)) return url;
  // Something like ./data holds no secret and helps when shown.
  if (/^\.{1,2}\/[\w./-]*$|^$/.test(url)) return url;
  return `${/^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(url)?.[0] ?? ''}***`;
}

/** The address with its folder and files, if it has any, as `resolve` gives them. */
export function resolveStoreUrl(url: string, resolve: (path: string) => string): string {
  const address = readStoreAddress(url);
  if ('dir' in address) return withFolder({ ...address, dir: resolve(address.dir) });
  if (address.kind !== 'mysql' || !address.options) return url;
  return url.slice(0, url.indexOf('?')) + writeUrlOptions(resolveUrlOptions(address.options, resolve));
}

/** The address of a MySQL server with this password in it. */
export function withPassword(url: string, password: string): string {
  const at = url.slice(MYSQL.length).split(/[/?#]/, 1)[0]!.lastIndexOf('@') + MYSQL.length;
  const [user = ''] = url.slice(MYSQL.length, at).split(':', 1);
  return `${MYSQL}${user}:${encodeURIComponent(password)}${url.slice(at)}`;
}

function withFolder({ kind, dir }: Extract<StoreAddress, { dir: string }>): string {
  return `${kind}:${dir}`;
}

function readEmbedded(dir: string): StoreAddress | UnusableAddress {
  if (dir.trim() === '')
    return unusable('has no folder; expected embedded:DIR, for example embedded:./data/store');
  // embedded://data could mean ./data or /data.
  if (/^\/\/[^/]/.test(dir))
    return unusable('expected embedded:DIR without //, for example embedded:./data/store');
  return { kind: 'embedded', dir };
}

function readMysql(rest: string): StoreAddress | UnusableAddress {
  // An unencoded / # or ? in the password ends this part early; the @ then stands further right.
  const [authority = '', tail = ''] = splitAt(rest, rest.search(/[/?#]/));
  const at = authority.lastIndexOf('@');
  if (tail.includes('@')) return unusable(`expected ${STORE_FORMS}; ${ENCODED}`);
  if (at < 0) return unusable(`has no user, or no @ before the host; expected ${FORM}`);
  const hosts = authority.slice(at + 1);
  const colon = authority.indexOf(':');
  const hasPassword = colon >= 0 && colon < at;
  const user = decoded(authority.slice(0, hasPassword ? colon : at));
  const password = decoded(hasPassword ? authority.slice(colon + 1, at) : '');
  const [path = '', options = ''] = splitAt(tail, tail.search(/[?#]/));
  const database = decoded(path.slice(1));
  if (user === undefined || password === undefined || database === undefined) {
    return unusable(`has a stray %; expected ${FORM}, where % itself is written %25`);
  }
  if (user === '') return unusable(`has no user; expected ${FORM}`);
  const read = readUrlOptions(options);
  const problem =
    ('problem' in read ? read.problem : undefined) ?? hostsProblem(hosts) ?? databaseProblem(database);
  if ('problem' in read || problem !== undefined) return unusable(`${problem}; expected ${FORM}`);
  const { host, port } = readHost(hosts) ?? { host: '', port: 0 };
  if (host === '') return unusable(`has a host or port that cannot be read; expected ${FORM}; ${ENCODED}`);
  if (read.socket !== undefined && !isLoopback(host))
    return unusable('names a host and a socket file, which is on this machine: name localhost, or no socket');
  const given = options === '' ? {} : { options: read };
  return { kind: 'mysql', host, port, user, password, database, ...given };
}

function hostsProblem(hosts: string): string | undefined {
  if (hosts === '') return 'has no host';
  if (hosts.includes(',')) return 'names several hosts, and only one can be used';
  if (/^(%2f|\()/i.test(hosts)) return SOCKET_FILE;
  return undefined;
}

function databaseProblem(database: string): string | undefined {
  if (database === '') return 'has no database';
  if (!database.includes('/')) return undefined;
  return /\.sock\b/.test(database) ? SOCKET_FILE : 'names more than a database behind the host';
}

/** `name`, `10.0.0.1` or `[::1]`, and a port; undefined when it is none of these. */
function readHost(text: string): { host: string; port: number } | undefined {
  const [, v6, name = '', digits] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? MYSQL_PORT : Number(digits);
  if (port < 1 || port > 65_535) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : undefined;
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(name) ? { host: name, port } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What stands before index `at` and from it on; all of it before when `at` is below 0. */
function splitAt(text: string, at: number): [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

function unusable(problem: string): UnusableAddress {
  return { kind: 'unusable', problem };
}
