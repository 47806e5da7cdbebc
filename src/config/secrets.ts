import { type ConfigKey, knownKeys } from './keys.js';
import type { Config } from './schema.js';
import { EMBEDDED, parseMysqlUrl } from './values.js';

const MASK = '***';

/** A copy of the configuration that may be printed: token and password replaced by `***`. */
export function maskSecrets(config: Config): Config {
  return {
    ...config,
    store: { ...config.store, url: maskStoreUrl(config.store.url) },
    admin: config.admin.token === undefined ? config.admin : { ...config.admin, token: MASK },
  };
}

/**
 * A store's address for printing. Of one that cannot be read for sure, only the scheme is left: any part of it
 * may be the password.
 */
export function maskStoreUrl(url: string): string {
  if (url.startsWith(EMBEDDED)) return url;
  const parsed = url.startsWith('mysql://') ? parseMysqlUrl(url) : undefined;
  if (!parsed || parsed.user === '' || parsed.host === '') {
    // Something like ./data holds no secret and helps when shown.
    if (!/[:@]/.test(url)) return url;
    return `${/^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(url)?.[0] ?? ''}${MASK}`;
  }
  const user = encodeURIComponent(parsed.user) + (parsed.password === '' ? '' : `:${MASK}`);
  return `mysql://${user}@${parsed.host}/${parsed.database}`;
}

/** A value of any type, as it may stand in an error message about `key`. */
export function printable(key: string, value: unknown): string {
  const known: ConfigKey | undefined = knownKeys().find((one) => one.key === key);
  // A whole section of the wrong type may hold anything, a password too.
  if (!known) return `(${kindOf(value)})`;
  if (known.secret && value !== undefined) return MASK;
  if (key === 'store.url')
    return typeof value === 'string' ? quoted(maskStoreUrl(value)) : `(${kindOf(value)})`;
  return quoted(value);
}

/** `text`, `a list`, … for people. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

const LONGEST_QUOTE = 80;

function quoted(value: unknown): string {
  if (value === undefined) return '(not set)';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' && typeof value !== 'boolean' && value !== null) return `(${kindOf(value)})`;
  const json = JSON.stringify(value);
  return json.length <= LONGEST_QUOTE ? json : `${json.slice(0, LONGEST_QUOTE)}…`;
}
