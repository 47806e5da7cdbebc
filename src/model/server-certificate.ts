import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ReporterError } from './errors.js';
import { readPrivateFile } from './private-file.js';

/** Paths of PEM files: a certificate, then those of the authorities in between, and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** As configured: none, unless both are given. */
export type CertificateSetting = { readonly [Name in keyof CertificateFiles]?: string | undefined };

/** What a server of ours shows to clients, read from its files. */
export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When it ends. */
  readonly validTo: Date;
  /** Another one for another certificate or key. */
  readonly digest: string;
}

/**
 * Reads a certificate and its key. `section`: their place in the configuration, `admin.tls`. Throws ReporterError
 * `CONFIG_INVALID` when one cannot be read or is none, when they do not belong together, and when every user of the
 * machine may read the key.
 */
export function readServerCertificate(
  section: string,
  { cert: certFile, key: keyFile }: CertificateFiles,
): ServerCertificate {
  const refuse = (name: 'cert' | 'key', problem: string): never => {
    const file = name === 'cert' ? certFile : keyFile;
    throw new ReporterError('CONFIG_INVALID', `${section}.${name} = ${JSON.stringify(file)}: ${problem}`);
  };
  const found = readPrivateFile(keyFile);
  if ('problem' in found) return refuse('key', found.problem);
  const key = found.bytes;
  let cert: Buffer;
  try {
    cert = readFileSync(certFile);
  } catch (error) {
    return refuse('cert', `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(cert);
  } catch {
    return refuse('cert', 'holds no certificate; expected PEM, the certificate of this server first');
  }
  let isItsKey = false;
  try {
    isItsKey = leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    return refuse('key', 'holds no private key without a passphrase; expected PEM');
  }
  if (!isItsKey) return refuse('key', `is not the key of the certificate in ${certFile}`);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    return refuse('cert', `cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const digest = createHash('sha256').update(cert).update(key).digest('hex');
  return { cert, key, validTo: new Date(leaf.validTo), digest };
}
