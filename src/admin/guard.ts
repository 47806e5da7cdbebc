import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { type Answer, failure } from './route.js';

const UNAUTHORIZED = failure(401, 'needs the header "Authorization: Bearer TOKEN", with admin.token', {
  'www-authenticate': 'Bearer realm="lars-reporter"',
});
const FOREIGN_HOST = failure(
  403,
  'the Host header is not a name of this server: ask for localhost or an IP address, or set admin.token',
);
const FOREIGN_ORIGIN = failure(403, 'pages of other sites may not change anything here');

/**
 * Who may ask. With a token: who presents it. Without one, the server listens on this machine only, and is
 * protected from pages of other sites that a browser on this machine shows: those reach it under a name of their
 * own that they point to 127.0.0.1 (DNS rebinding), or blindly send it a form.
 */
export class Guard {
  readonly #token: Buffer | undefined;
  readonly #host: string;

  /** `host` is the configured `admin.host`, under which the server may always be asked. */
  constructor({ host, token }: { readonly host: string; readonly token?: string | undefined }) {
    this.#host = host.toLowerCase();
    this.#token = token === undefined ? undefined : digest(Buffer.from(token));
  }

  /** What to answer instead, or undefined when the request may be served. */
  refusal(method: string, headers: IncomingHttpHeaders): Answer | undefined {
    if (this.#token) return holds(headers.authorization, this.#token) ? undefined : UNAUTHORIZED;
    // No browser leaves it out; HTTP/1.0 probes do.
    if (headers.host !== undefined && !this.#isOwn(headers.host)) return FOREIGN_HOST;
    const reads = method === 'GET' || method === 'HEAD';
    if (!reads && headers.origin !== undefined && !isOf(headers.origin, headers.host)) return FOREIGN_ORIGIN;
    return undefined;
  }

  #isOwn(header: string): boolean {
    const name = header.toLowerCase().replace(/:\d*$/, '');
    const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
    // Addresses are not looked up, so nobody can point them here.
    return name === 'localhost' || isIP(address) !== 0 || name === this.#host;
  }
}

/** Compares digests, which have one length, in constant time. Header values are bytes in latin1. */
function holds(header: string | undefined, token: Buffer): boolean {
  const presented = /^bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(Buffer.from(presented, 'latin1')), token);
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function isOf(origin: string, host: string | undefined): boolean {
  return origin.split('//')[1] === host;
}
