import { StoreError } from '../../model/errors.js';
import { type MysqlServer, serverPlace } from './server.js';

/** Of a packet: three bytes of length and its number, which is 0 for the first, then what it is. */
const NUMBER_AT = 3;
const KIND_AT = 4;
/** A server's first packet greets in a version of the protocol, or says why it does not. */
const KINDS: ReadonlySet<number> = new Set([9, 10, 0xff]);
const MAX_QUOTE = 40;

/** What the first bytes of something else say, as far as it is text; undefined when they may be those of a MySQL server. */
export function foreignGreeting(bytes: Buffer): string | undefined {
  if (bytes.length <= KIND_AT) return undefined;
  if (bytes[NUMBER_AT] === 0 && KINDS.has(bytes[KIND_AT]!)) return undefined;
  const [line = ''] = bytes.toString('latin1').split(/[\r\n]/, 1);
  return line.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_QUOTE);
}

/** Whatever else listens there speaks first (SSH, FTP, SMTP), and would be taken for a huge packet. */
export function foreignServer(server: MysqlServer, greeting: string): StoreError {
  return new StoreError(
    'configuration',
    'NOT_MYSQL',
    `what answers at ${serverPlace(server)} is no MySQL server, it says "${greeting}"; check host and port in store.url`,
  );
}

/**
 * A login that ran out of time though the connection stood: whatever listens there waits to be spoken to (HTTP, TLS), or
 * the server hangs. Other errors are left as they are.
 */
export function explainSilence(error: Error, timeoutMs: number): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ETIMEDOUT') return error;
  return Object.assign(
    new Error(
      `the connection stands, and no greeting came within ${timeoutMs} ms: the server hangs, or is no MySQL server`,
      { cause: error },
    ),
    { code, fatal: true },
  );
}
