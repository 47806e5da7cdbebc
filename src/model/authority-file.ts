import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ReporterError } from './errors.js';

/** Certificates of authorities, read from a file. */
export interface Authorities {
  readonly pem: Buffer;
  /** When the first of them ends. */
  readonly validTo: Date;
  /** Another one for another content. */
  readonly digest: string;
}

/** Longer than all authorities of the world together. */
const MAX_BYTES = 4_194_304;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Reads the certificates of the authorities that are trusted. `key`: the key of the configuration that names the file.
 * Throws ReporterError `CONFIG_INVALID` when it cannot be read or holds none.
 */
export function readAuthorities(key: string, file: string): Authorities {
  const refuse = (problem: string): never => {
    throw new ReporterError('CONFIG_INVALID', `${key} = ${JSON.stringify(file)}: ${problem}`);
  };
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    return refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  if (pem.length > MAX_BYTES) return refuse(`has more than ${MAX_BYTES} bytes: name the right file`);
  const ends: number[] = [];
  try {
    for (const [text] of pem.toString('latin1').matchAll(CERTIFICATE))
      ends.push(Date.parse(new X509Certificate(text).validTo));
    createSecureContext({ ca: pem });
  } catch {
    return refuse('holds a certificate that is damaged; expected PEM');
  }
  if (ends.length === 0) return refuse('holds no certificate; expected PEM, the certificates of authorities');
  const digest = createHash('sha256').update(pem).digest('hex');
  return { pem, validTo: new Date(Math.min(...ends)), digest };
}
