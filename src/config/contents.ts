import { readAuthorities } from '../model/authority-file.js';
import { readServerCertificate } from '../model/server-certificate.js';
import type { Config } from './schema.js';
import { valueAt } from './tree.js';

/** Sections with `cert` and `key`, whose files are read once and held: a reload takes them again. */
const CERTIFICATES = ['listen.tls', 'admin.tls'] as const;

export interface Contents {
  /** By key, another text for another content of its file. */
  readonly digests: ReadonlyMap<string, string>;
  /** What should be seen to soon, a sentence each. */
  readonly warnings: readonly string[];
}

/** Looks at the files that a configuration names. Throws ReporterError `CONFIG_INVALID` when one cannot be used. */
export function contentsOf(config: Config): Contents {
  const digests = new Map<string, string>();
  const warnings: string[] = [];
  for (const section of CERTIFICATES) {
    const { cert, key } = valueAt(config, section.split('.')) as {
      readonly cert?: string;
      readonly key?: string;
    };
    if (cert === undefined || key === undefined) continue;
    const found = readServerCertificate(section, { cert, key });
    digests.set(`${section}.cert`, found.digest);
    warnings.push(...endOf(`the certificate of ${section}.cert`, found.validTo));
  }
  const { ca } = config.listen.tls;
  if (ca !== undefined) {
    const { digest, validTo } = readAuthorities('listen.tls.ca', ca);
    digests.set('listen.tls.ca', digest);
    warnings.push(...endOf('a certificate of listen.tls.ca', validTo));
  }
  return { digests, warnings };
}

/** So long before its end a certificate is told. */
const SOON_MS = 14 * 86_400_000;

function* endOf(certificate: string, validTo: Date): Generator<string> {
  const leftMs = validTo.getTime() - Date.now();
  if (leftMs > SOON_MS) return;
  yield `${certificate} ${leftMs < 0 ? 'ended' : 'ends'} at ${validTo.toISOString()}: put a new one in its place, and reload`;
}
