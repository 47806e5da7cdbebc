import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { connect as connectSecure, rootCertificates } from 'node:tls';
import type { Config } from '../config/index.js';
import { messageOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { UsageError } from './terminal.js';

/** A reporter that does nothing for so long is not waited for. Replaying many dead letters takes its time. */
const IDLE_MS = 600_000;

/** A question to the admin HTTP. */
export interface AdminQuestion {
  readonly address: Address;
  readonly token: string | undefined;
  /** `admin.tls.cert`: path of the certificate it has; HTTP is spoken without. */
  readonly certificate: string | undefined;
  readonly method: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** How long nothing may move, milliseconds; ten minutes unless given. */
  readonly idleMs?: number;
  readonly signal?: AbortSignal;
}

export interface AdminReply {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks the admin HTTP. Rejects with the system's error when nobody answers. Not `fetch`, which asks at no port that
 * browsers hold for dangerous, and gives up after five minutes.
 */
export async function askAdmin(question: AdminQuestion): Promise<AdminReply> {
  const { address, token, certificate, method, path, body, idleMs = IDLE_MS, signal } = question;
  const socket = certificate === undefined ? undefined : await secureSocket(address, certificate, idleMs);
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const asked = httpRequest(
      {
        ...{ ...address, method, path, timeout: idleMs },
        ...(signal ? { signal } : {}),
        ...(socket ? { createConnection: () => socket } : { agent: false }),
        headers: {
          ...(token === undefined
            ? {}
            : { authorization: `Bearer ${Buffer.from(token).toString('latin1')}` }),
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
        },
      },
      (response) => {
        textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`it has not moved for ${idleMs / 1000} s`)));
    asked.on('error', reject);
    asked.end(content);
  });
}

/**
 * A connection to the admin HTTP that has this certificate, or one that an authority of its file, or one that Node
 * knows, has signed for the host. Nothing is sent before that is sure. Rejects when it has another one.
 */
function secureSocket({ host, port }: Address, certificate: string, idleMs: number): Promise<Duplex> {
  let pem: Buffer;
  let fingerprint: string;
  try {
    pem = readFileSync(certificate);
    fingerprint = new X509Certificate(pem).fingerprint256;
  } catch (error) {
    return Promise.reject(new Error(`admin.tls.cert ${certificate} cannot be read (${messageOf(error)})`));
  }
  return new Promise((resolve, reject) => {
    const socket = connectSecure({
      ...{ host, port, ca: [pem, ...rootCertificates] },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // One that has ended is still the one that is configured; what is shown is looked at below.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      timeout: idleMs,
    });
    socket.on('timeout', () => socket.destroy(new Error(`it has not moved for ${idleMs / 1000} s`)));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const isIt = socket.getPeerX509Certificate()?.fingerprint256 === fingerprint;
      // `authorized`: signed by an authority, for this host.
      if (isIt || socket.authorized) {
        socket.off('error', reject);
        resolve(socket);
        return;
      }
      socket.destroy(
        new Error(
          `it shows another certificate than ${certificate}: if that was renewed, have the reporter read it with SIGHUP`,
        ),
      );
    });
  });
}

/** What a body holds when it is a JSON object. */
export function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `host:port`, as people write it. */
export function placeOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where the configured reporter is asked from its own machine. Throws UsageError when its port is any free one. */
export function adminAddress({ admin: { host, port } }: Config, why = ''): Address {
  if (port === 0) {
    throw new UsageError(
      `${why}admin.port is 0, so the port of its reporter is not known: name it with --admin HOST:PORT`,
    );
  }
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}
