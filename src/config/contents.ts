import { readAuthorities } from '../model/authority-file.js';
import { readServerCertificate, type ServerCertificate } from '../model/server-certificate.js';
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
    if (isOver(found))
      warnings.push(`the certificate of ${section}.cert ended at ${found.validTo.toISOString()}`);
  }
  const { ca } = config.listen.tls;
  if (ca !== undefined) digests.set('listen.tls.ca', readAuthorities('listen.tls.ca', ca).digest);
  return { digests, warnings };
}

function isOver({ validTo }: ServerCertificate): boolean {
  return validTo.getTime() < Date.now();
}
