import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { messageOf } from '../model/errors.js';

/** How an agent speaks TLS. The certificate of the reporter is verified. Certificates and keys are PEM, not paths. */
export interface AgentTls {
  /** Authorities that are trusted; those that Node knows unless given. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Certificate of this agent, then those of the authorities in between; with its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** Name, or IP address, that the certificate of the reporter must have; `host` unless given. */
  readonly servername?: string | undefined;
  /** False for trials only: whoever is in between can read and change everything. */
  readonly verify?: boolean | undefined;
}

/** What may be wrong when a connection is lost at its beginning. */
export const NOT_TAKEN = ', or not take the certificate of this agent, or require one: its log says why';

/** Resolves to the stream with TLS on a socket that is connected. Rejects with an error that says what is wrong. */
export function secured(socket: Socket, host: string, tls: AgentTls | (() => AgentTls)): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let stream: TLSSocket;
    let name = host;
    try {
      const { ca, cert, key, servername = host, verify = true } = typeof tls === 'function' ? tls() : tls;
      name = servername;
      stream = connect({
        ...{ socket, cert, key, minVersion: 'TLSv1.2', rejectUnauthorized: verify },
        ...(ca === undefined ? {} : { ca: Array.isArray(ca) ? [...ca] : (ca as string | Buffer) }),
        // What the certificate must be for; an address is no name to ask for.
        host: name,
        ...(isIP(name) === 0 ? { servername: name } : {}),
      });
    } catch (error) {
      reject(
        new Error(`certificate or key of this agent cannot be used (${messageOf(error)})`, { cause: error }),
      );
      return;
    }
    const onError = (error: Error) => {
      over();
      // Whatever it still has to say.
      stream.on('error', () => {});
      reject(new Error(problemOf(error, name), { cause: error }));
    };
    const onClose = () => onError(new Error('closed'));
    const over = () => stream.off('error', onError).off('close', onClose);
    stream.once('error', onError);
    stream.once('close', onClose);
    stream.once('secureConnect', () => {
      over();
      resolve(stream);
    });
  });
}

const UNKNOWN = 'no authority that is trusted has signed its certificate: trust its authority (ca, --tls-ca)';
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is a clock wrong?',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'nobody but itself has signed its certificate: trust it (ca, --tls-ca), or let an authority sign it',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
};

function problemOf(error: Error, name: string): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { cert } = error as { readonly cert?: { readonly subjectaltname?: string } };
    return `its certificate is not for ${name}, but for ${cert?.subjectaltname ?? 'nobody'}`;
  }
  const known = PROBLEMS[code];
  if (known !== undefined) return known;
  if (code.startsWith('ERR_SSL_')) return `no TLS could be agreed on (${code})`;
  return `it ended the handshake (${code || messageOf(error)}): it may speak no TLS on this port, have too many connections${NOT_TAKEN}`;
}
