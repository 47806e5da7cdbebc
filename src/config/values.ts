/** Whether only this machine can reach a socket bound to `host`. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|(0+:){7}0*1|localhost)$/i.test(host);
}

export const EMBEDDED = 'embedded:';

const SCHEMES = 'embedded:DIR or mysql://user:password@host:port/database';

/** What is wrong with a store's address and what to write instead; undefined when nothing is. */
export function storeUrlProblem(url: string): string | undefined {
  if (url.startsWith(EMBEDDED)) return embeddedProblem(url.slice(EMBEDDED.length));
  if (!url.startsWith('mysql://')) return `expected ${SCHEMES}`;
  const parsed = parseMysqlUrl(url);
  if (!parsed) {
    return `expected ${SCHEMES}; in user and password @ is written %40, / %2F, : %3A, # %23, ? %3F, % %25`;
  }
  if (parsed.host === '') return 'has no host; expected mysql://user:password@host:port/database';
  if (parsed.user === '') return 'has no user; expected mysql://user:password@host:port/database';
  if (parsed.database === '') return 'has no database; expected mysql://user:password@host:port/database';
  return undefined;
}

function embeddedProblem(dir: string): string | undefined {
  if (dir.trim() === '') return 'has no folder; expected embedded:DIR, for example embedded:./data/store';
  // embedded://data could mean ./data or /data.
  if (/^\/\/[^/]/.test(dir)) return 'expected embedded:DIR without //, for example embedded:./data/store';
  return undefined;
}

interface MysqlUrl {
  readonly user: string;
  readonly password: string;
  /** Host and port, as written. */
  readonly host: string;
  readonly database: string;
}

/** Takes a mysql:// address apart; undefined when it cannot be told apart without doubt. */
export function parseMysqlUrl(url: string): MysqlUrl | undefined {
  try {
    const parsed = new URL(url);
    const database = decodeURIComponent(parsed.pathname.slice(1));
    // An unencoded / # or ? in the password cuts the address early: the rest, with its @, shows up further right.
    if (parsed.hash !== '' || parsed.search !== '' || /[/@]/.test(database)) return undefined;
    return {
      user: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
      host: parsed.host,
      database,
    };
  } catch {
    return undefined;
  }
}
