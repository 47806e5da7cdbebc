import type { HandshakeFailure } from '../../model/traffic.js';

export interface FailedHandshake {
  readonly reason: HandshakeFailure;
  /** What went wrong and what to do, for people. */
  readonly why: string;
}

const NOT_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_HTTPS_PROXY_REQUEST',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);
const VERSION = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_VERSION_TOO_LOW',
  'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
  'ERR_SSL_INAPPROPRIATE_FALLBACK',
]);

/** What an error of Node or OpenSSL in a handshake means. */
export function failureOf(error: Error): FailedHandshake {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')
    return {
      reason: 'no-certificate',
      why: 'it shows no certificate, and listen.tls.clientAuth requires one',
    };
  if (NOT_TLS.has(code))
    return {
      reason: 'not-tls',
      why:
        'what it sends is not TLS: an agent that speaks none belongs to listen.port, a balancer that sends PROXY ' +
        'headers into listen.proxyFrom',
    };
  if (VERSION.has(code)) return { reason: 'version', why: 'it speaks no TLS of version 1.2 or newer' };
  // An alert that the peer has sent: of its certificate, of ours, or of versions.
  const alert = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_(.*)$/.exec(code)?.[1];
  if (alert === 'PROTOCOL_VERSION')
    return { reason: 'version', why: 'it speaks no TLS of a version that is taken' };
  if (alert !== undefined)
    return {
      reason: 'peer',
      why: `it does not take the certificate of listen.tls.cert (${alert.toLowerCase().replaceAll('_', ' ')})`,
    };
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_'))
    return {
      reason: 'aborted',
      why: 'it left in the middle; it may not take the certificate of listen.tls.cert',
    };
  return { reason: 'protocol', why: `what it sends is not in order (${code})` };
}
