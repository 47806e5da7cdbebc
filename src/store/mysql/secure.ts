import { readFileSync } from 'node:fs';
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { authPlugins, type ConnectionOptions } from 'mysql2';
import { StoreError } from '../../model/errors.js';
import { readPrivateFile } from '../../model/private-file.js';
import { isOnTheNetwork, type MysqlServer, serverPlace } from './server.js';

/**
 * What mysql2 is told of TLS. Files are read anew for each connection, so that a renewed certificate needs nothing more.
 * Throws StoreError `configuration` when one cannot be read.
 */
export function secureOptions(server: MysqlServer): ConnectionOptions {
  const { tls } = server;
  if (tls.mode === 'off') return isOnTheNetwork(server) ? { authPlugins: GUARDED } : {};
  const verifies = tls.mode !== 'required';
  return {
    ssl: {
      ...(tls.ca === undefined ? {} : { ca: publicFile('ca', tls.ca) }),
      ...(tls.cert === undefined ? {} : { cert: publicFile('cert', tls.cert) }),
      ...(tls.key === undefined ? {} : { key: privateFile('key', tls.key) }),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: verifies,
    },
    // Of a server that was verified: some accounts are of another service, which wants the password itself.
    enableCleartextPlugin: verifies,
  };
}

/**
 * Without TLS, MySQL's newer accounts have the password encrypted with a key that the server sends, and mysql2 takes any
 * key: whoever is in between sends his own, and reads the password. MySQL's own clients refuse that, too.
 */
const refuseKey = (): never => {
  throw new StoreError(
    'configuration',
    'PASSWORD_UNPROTECTED',
    'the server wants the password in a way that protects it over TLS alone; it was not sent: set store.tls.mode to ' +
      'verify-full, or to required (MySQL has TLS unless it was switched off)',
  );
};
const GUARDED: NonNullable<ConnectionOptions['authPlugins']> = {
  caching_sha2_password: authPlugins.caching_sha2_password({ onServerPublicKey: refuseKey }),
  sha256_password: authPlugins.sha256_password({ onServerPublicKey: refuseKey }),
};

/** Why the other end of a connection is not the server; undefined when it is, or nobody asked. */
export function strangerProblem({ host, tls }: MysqlServer, socket: TLSSocket): StoreError | undefined {
  if (tls.mode !== 'verify-full') return undefined;
  const error = checkServerIdentity(host, socket.getPeerCertificate(true)) as
    | NodeJS.ErrnoException
    | undefined;
  return error && notBelieved(host, error.code ?? '', error.message);
}

/** What a failure of TLS means; undefined for one of the network. */
export function tlsFailure(
  server: MysqlServer,
  { code = '', message }: NodeJS.ErrnoException,
): StoreError | undefined {
  if (/^E[A-Z]+$/.test(code)) return undefined;
  return notBelieved(serverPlace(server), code, message);
}

function notBelieved(place: string, code: string, message: string): StoreError {
  return new StoreError(
    'configuration',
    code === '' ? 'TLS_FAILED' : code,
    `no TLS connection to the store at ${place}: ${message}; ${adviceFor(code)}`,
  );
}

function adviceFor(code: string): string {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'give the server another certificate, or set the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'name the host in store.url as its certificate does; store.tls.mode verify-ca looks at no names';
  if (/SELF_SIGNED|UNABLE_TO|ISSUER/.test(code))
    return 'name the certificate of the authority that has signed it in store.tls.ca';
  return 'see store.tls';
}

/** What logins fail with that has to do with TLS, in words that say what to set. */
export function loginFailure({ code = '' }: NodeJS.ErrnoException): StoreError | undefined {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return new StoreError(
      'configuration',
      code,
      'the server has no TLS, or somebody in between hides that it does: switch it on there, or set store.tls.mode to off',
    );
  if (code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED')
    return new StoreError(
      'configuration',
      code,
      'the server asks for the password itself (mysql_clear_password); it was not sent, and is only over verified TLS: set ' +
        'store.tls.mode to verify-full or verify-ca',
    );
  return undefined;
}

function publicFile(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    return unusable(name, path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function privateFile(name: string, path: string): Buffer {
  const found = readPrivateFile(path);
  return 'problem' in found ? unusable(name, path, found.problem) : found.bytes;
}

function unusable(name: string, path: string, problem: string): never {
  throw new StoreError(
    'configuration',
    'STORE_TLS',
    `store.tls.${name} = ${JSON.stringify(path)}: ${problem}`,
  );
}
