import { lookup } from 'node:dns/promises';
import net, { type Server, Socket } from 'node:net';

/**
 * The one place that knows how Node holds a connection without reading it. What it has for everybody, `net.Socket`,
 * begins to read when it is made; a keeper must not read a byte, and a child must not before it may. So this takes the
 * handles beneath, as Node's own `cluster` does to hand connections to its workers. The first test of
 * `test/keeper/handles.test.ts` says so where a version of Node does otherwise.
 */

/** A socket of the system. Nothing of it is read; closing it closes this process's copy. */
export interface RawHandle {
  close(): void;
  /** Closes it so that the peer sees a reset. */
  reset(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, delaySeconds: number): void;
  getsockname(into: { port?: number }): number;
}

/** Node's own names for what is beneath a server and a socket. */
interface Beneath {
  readonly _handle: { onconnection: (status: number, handle: RawHandle | undefined) => void } | null;
}
interface Inside {
  /** A number says why not. */
  _createServerHandle(address: string | null, port: number, family: number, fd?: number): RawHandle | number;
}

/** Connections of `server`, which listens, go to `onHandle` unread; it makes no socket of them. */
export function takeUnread(
  server: Server,
  onHandle: (handle: RawHandle) => void,
  onError: (status: number) => void,
): void {
  // As the comment on top says: there is no public name for it.
  const beneath = (server as unknown as Beneath)._handle;
  if (!beneath) throw new Error('this server does not listen');
  beneath.onconnection = (status, handle) => {
    if (status !== 0 || !handle) onError(status);
    else onHandle(handle);
  };
}

/** The stream of a connection, which is not read before somebody says so (`resume`, or a listener for `data`). */
export function unreadSocket(handle: RawHandle): Socket {
  const options = { handle, pauseOnCreate: true, readable: true, writable: true };
  return new Socket(options as net.SocketConstructorOpts);
}

/**
 * Binds an address without listening: whoever gets the handle listens, and several may, one after the other. Rejects
 * as `listen` of a server does. `fd`: a socket that is bound already.
 */
export async function bindOnly(
  place: { readonly host: string; readonly port: number } | { readonly fd: number },
) {
  const inside = net as unknown as Inside;
  if ('fd' in place) {
    const handle = inside._createServerHandle(null, -1, -1, place.fd);
    if (typeof handle === 'number') throw new Error(`file descriptor ${place.fd} is no socket that listens`);
    return handle;
  }
  const { host, port } = place;
  const { address, family } = await lookup(host);
  const handle = inside._createServerHandle(address, port, family);
  if (typeof handle === 'number') return refuseAsListen(address, port);
  const bound: { port?: number } = {};
  handle.getsockname(bound);
  // The system tells an address in use later; the socket has no port then.
  if (port !== 0 && bound.port !== port) {
    handle.close();
    return refuseAsListen(address, port);
  }
  return handle;
}

/** What `listen` says of the address: it is tried once more, that way. */
async function refuseAsListen(host: string, port: number): Promise<never> {
  const server = net.createServer();
  await new Promise<void>((_, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.close();
      reject(new Error(`listen EADDRINUSE: address already in use ${host}:${port}`));
    });
  });
  throw new Error('not reached');
}
