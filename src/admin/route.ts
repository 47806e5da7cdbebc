import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Role } from './browser-sessions.js';

/** One path of the admin HTTP. Parts of it are further files that export routes; `http.ts` serves them. */
export interface Route {
  /** GET answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with a slash; `:name` takes one segment: `/api/services/:modid/:cmdid`. */
  readonly path: string;
  /** Served to everyone: without the token, under any Host header. For what tells nothing and changes nothing. */
  readonly open?: boolean;
  /** What it throws is logged and answered with 500, without a word of it. */
  handle(request: AdminRequest): Answer | Promise<Answer>;
}

export interface AdminRequest {
  /** The `:name` segments of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; undefined without one. */
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  /** Whether it came over TLS to this server. */
  readonly isHttps: boolean;
  /** What the asker may do, where a host has checked that. */
  readonly role?: Role | undefined;
}

export interface Answer {
  readonly status: number;
  /** Content type. */
  readonly type: string;
  /**
   * A stream is destroyed when its reader goes away or the server closes; it has to send something now and then,
   * a connection on which nothing moves for a minute is closed.
   */
  readonly body: string | Uint8Array | Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

/** `{"error": why}`. */
export function failure(status: number, why: string, headers?: Answer['headers']): Answer {
  return { ...json({ error: why }, status), ...(headers === undefined ? {} : { headers }) };
}

/** What routes answer that cannot say anything before the reporter runs. */
export const STARTING: Answer = failure(503, 'the reporter is starting; ask again, or watch /readyz');
