import { type Authorities, readAuthorities } from '../../model/authority-file.js';
import { readServerCertificate, type ServerCertificate } from '../../model/server-certificate.js';
import type { TlsStatus } from '../../model/status.js';
import type { CertificateRules } from './peer-certificate.js';

/** The section `listen.tls`, which may change while it runs. */
export interface TlsRules extends CertificateRules {
  /** Paths of PEM files. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  /** How long a connection may take until its handshake is over, waiting for its turn included; milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Handshakes at a time; further connections wait. */
  readonly maxHandshakes: number;
}

/** What the files of the section hold. */
export interface TlsFiles {
  readonly own: ServerCertificate;
  readonly authorities: Authorities | undefined;
}

/** Reads the files. Throws ReporterError `CONFIG_INVALID` when one cannot be used. */
export function readTlsFiles({ cert = '', key = '', ca }: TlsRules): TlsFiles {
  return {
    own: readServerCertificate('listen.tls', { cert, key }),
    authorities: ca === undefined ? undefined : readAuthorities('listen.tls.ca', ca),
  };
}

/** Which of them ends first, and when. */
export function tlsStatusOf({ own, authorities }: TlsFiles): TlsStatus {
  const isAuthority = authorities !== undefined && authorities.validTo < own.validTo;
  return {
    validTo: (isAuthority ? authorities.validTo : own.validTo).toISOString(),
    endsFirst: isAuthority ? 'listen.tls.ca' : 'listen.tls.cert',
  };
}
