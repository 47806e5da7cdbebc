import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AdminRequest, type Answer, failure, type Route } from './route.js';

/** Where the build puts the page: `dist/page`. */
const PAGE = fileURLToPath(new URL('../../page/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Best first. */
const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** A file of the page, in each encoding there is. */
interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Uint8Array;
  readonly encoded: ReadonlyMap<string, Uint8Array>;
}

/**
 * The web page, from memory. It holds no data and asks for them as anybody does, so it is open even where a token is
 * set. `directory`: for tests. Where the page was not built, its path says so.
 */
export function pageRoutes(directory = PAGE): readonly Route[] {
  const assets = readAssets(directory);
  const index = assets.get('index.html');
  return [
    {
      method: 'GET',
      path: '/',
      open: true,
      handle: ({ headers }) => (index ? send(index, headers, 'no-store') : NOT_BUILT),
    },
    {
      method: 'GET',
      path: '/assets/:file',
      open: true,
      handle: ({ params, headers }) => {
        const asset = assets.get(params['file'] ?? '');
        // Names change with what is in them.
        return asset && asset !== index
          ? send(asset, headers, 'public, max-age=31536000, immutable')
          : failure(404, 'there is no such path');
      },
    },
  ];
}

/** Differs when the page is another one; undefined when it was not built. */
export function pageBuild(directory = PAGE): string | undefined {
  try {
    return etagOf(readFileSync(path.join(directory, 'index.html'))).slice(1, -1);
  } catch {
    return undefined;
  }
}

const NOT_BUILT = failure(
  404,
  'this build has no page: run "npm run build"; "lars-reporter status" shows the same',
);

function readAssets(directory: string): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  const read = (name: string) => readFileSync(path.join(directory, name));
  for (const name of filesIn(directory)) {
    const type = TYPES[path.extname(name)];
    if (type === undefined) continue;
    const plain = read(name);
    const etag = etagOf(plain);
    const encoded = ENCODINGS.map((encoding) => [encoding.name, read(`${name}${encoding.suffix}`)] as const);
    assets.set(name, { type, etag, plain, encoded: new Map(encoded) });
  }
  return assets;
}

function etagOf(content: Uint8Array): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function send(
  { type, etag, plain, encoded }: Asset,
  asked: AdminRequest['headers'],
  cacheControl: string,
): Answer {
  const headers = { ...HEADERS, etag, 'cache-control': cacheControl, vary: 'accept-encoding' };
  if (asked['if-none-match']?.includes(etag)) return { status: 304, type, body: '', headers };
  const accepted = String(asked['accept-encoding'] ?? '');
  const encoding = ENCODINGS.find(({ name }) => accepts(accepted, name))?.name;
  const body = encoding === undefined ? undefined : encoded.get(encoding);
  if (encoding === undefined || body === undefined) return { status: 200, type, body: plain, headers };
  return { status: 200, type, body, headers: { ...headers, 'content-encoding': encoding } };
}

/** `gzip, br;q=0` accepts gzip, not br. */
function accepts(header: string, encoding: string): boolean {
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
