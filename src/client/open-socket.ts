import { connect, type Socket } from 'node:net';
import { messageOf, ReporterError } from '../model/errors.js';
import { type AgentTls, secured } from './agent-tls.js';

export interface OpenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: AgentTls | (() => AgentTls) | undefined;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A peer that is gone without a word is noticed on a quiet connection: asked after so long, ten times, each second. */
const KEEP_ALIVE_MS = 30_000;
const CONNECT_MS = 5000;
/** A reporter under many handshakes lets others wait; see `listen.tls.handshakeTimeoutMs`. */
const CONNECT_WITH_TLS_MS = 15_000;

export const TOO_MANY = '; the reporter may have too many connections (listen.maxConnections)';

/** Resolves to a socket that is connected, with TLS where that is asked for. Rejects with `CONNECTION_FAILED`. */
export function openSocket(options: OpenOptions): Promise<Socket> {
  const { host, port, tls, signal } = options;
  const { connectTimeoutMs = tls ? CONNECT_WITH_TLS_MS : CONNECT_MS } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port, noDelay: true },
      ...{ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    });
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.off('error', onError);
    };
    const failed = (reason: string, cause?: unknown): void => {
      over();
      // Whatever it still has to say.
      socket.on('error', () => {}).destroy();
      reject(
        new ReporterError('CONNECTION_FAILED', `cannot connect to ${host}:${port}: ${reason}`, { cause }),
      );
    };
    const timer = setTimeout(() => failed(`no answer within ${connectTimeoutMs} ms`), connectTimeoutMs);
    const abort = (): void => failed('given up');
    const onError = (error: Error): void => {
      const reason = reasonOf(error);
      failed(reason === 'ECONNRESET' ? reason + TOO_MANY : reason, error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      if (tls) {
        secured(socket, host, tls).then(
          (stream) => {
            over();
            resolve(stream);
          },
          (error: Error) => failed(error.message, error.cause),
        );
        return;
      }
      over();
      resolve(socket);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The system's code when there is one; an error over several addresses has no message of its own. */
export function reasonOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? messageOf(error);
}
