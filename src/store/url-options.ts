/**
 * What may stand behind the `?` of a store's address. Names are taken as people of all clients write them: `ssl-mode`,
 * `ssl_mode` and `sslMode` are one.
 *
 *     ?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/mysql/ca.pem&ssl-cert=…&ssl-key=…
 *     ?socket=/run/mysqld/mysqld.sock
 */
export interface UrlOptions {
  readonly mode?: StoreTlsMode;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Path of a socket file, which takes the place of host and port. */
  readonly socket?: string;
}

/**
 * How the connection to the database is protected:
 * - `off`: not at all.
 * - `required`: encrypted; whoever stands in between and pretends to be the server is believed.
 * - `verify-ca`: encrypted, and the server's certificate is of an authority that is trusted.
 * - `verify-full`: as `verify-ca`, and the certificate is for the host that was asked for.
 */
export type StoreTlsMode = (typeof STORE_TLS_MODES)[number];
export const STORE_TLS_MODES = ['off', 'required', 'verify-ca', 'verify-full'] as const;

/** The words of MySQL's own clients for the modes. */
const MYSQL_WORDS: Readonly<Record<StoreTlsMode, string>> = {
  off: 'DISABLED',
  required: 'REQUIRED',
  'verify-ca': 'VERIFY_CA',
  'verify-full': 'VERIFY_IDENTITY',
};
const WORDS = Object.values(MYSQL_WORDS).join(', ');

/** Which files an option names, and how it is written. */
const PATHS = { ca: 'ssl-ca', cert: 'ssl-cert', key: 'ssl-key', socket: 'socket' } as const;
type PathName = keyof typeof PATHS;

/** Options of other clients. Others are not repeated: a password may look like one. */
const OTHERS = /^(ssl|usessl|tls|charset|timezone|connecttimeout)$/;

/** Reads the options, from the `?` on. The problem holds no value: any of them may be part of a password. */
export function readUrlOptions(text: string): UrlOptions | { readonly problem: string } {
  const options: { mode?: StoreTlsMode } & { [Name in PathName]?: string } = {};
  if (text === '') return options;
  if (!text.startsWith('?')) return { problem: 'has a part behind the database that means nothing here' };
  for (const part of text.slice(1).split('&')) {
    const equals = part.indexOf('=');
    const written = equals < 0 ? part : part.slice(0, equals);
    const name = written.replace(/[-_]/g, '').toLowerCase();
    const value = equals < 0 ? '' : part.slice(equals + 1);
    if (OTHERS.test(name))
      return { problem: `has the option ${written}, which is not known${instead(name)}` };
    if (name === 'sslmode') {
      const mode = modeOf(value);
      if (mode === undefined) return { problem: modeProblem(value) };
      if (options.mode !== undefined) return { problem: 'has ssl-mode twice' };
      options.mode = mode;
      continue;
    }
    const known = (Object.keys(PATHS) as PathName[]).find((one) => PATHS[one].replace('-', '') === name);
    if (known === undefined) return { problem: 'has a part behind the database that means nothing here' };
    if (options[known] !== undefined) return { problem: `has ${PATHS[known]} twice` };
    const path = decoded(value);
    if (!path) return { problem: `has an option ${PATHS[known]} without the path of a file` };
    options[known] = path;
  }
  return options;
}

/** The options as they stand in an address, with their `?`; empty when there are none. */
export function writeUrlOptions(options: UrlOptions): string {
  const parts = options.mode === undefined ? [] : [`ssl-mode=${MYSQL_WORDS[options.mode]}`];
  for (const name of Object.keys(PATHS) as PathName[]) {
    const path = options[name];
    if (path !== undefined) parts.push(`${PATHS[name]}=${encodeURIComponent(path).replaceAll('%2F', '/')}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The options with their paths as `resolve` gives them. */
export function resolveUrlOptions(options: UrlOptions, resolve: (path: string) => string): UrlOptions {
  const paths = (Object.keys(PATHS) as PathName[]).flatMap((name) => {
    const path = options[name];
    return path === undefined ? [] : [[name, resolve(path)]];
  });
  return { ...options, ...Object.fromEntries(paths) };
}

function modeOf(text: string): StoreTlsMode | undefined {
  const word = text.toLowerCase().replace('_', '-');
  return STORE_TLS_MODES.find(
    (mode) => mode === word || MYSQL_WORDS[mode] === text.toUpperCase().replace('-', '_'),
  );
}

function modeProblem(text: string): string {
  if (/^prefer(red)?$/i.test(text))
    return `has an ssl-mode that falls back to none when whoever is in between says so: write one of ${WORDS}`;
  return `has an ssl-mode that is none of ${WORDS}`;
}

function instead(name: string): string {
  return /ssl|tls/.test(name) ? ': write ssl-mode=REQUIRED, VERIFY_CA or VERIFY_IDENTITY' : '';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
