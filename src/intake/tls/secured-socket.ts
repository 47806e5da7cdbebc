import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** A peer that does not take the last bytes of its connection is not waited for longer, milliseconds. */
const FLUSH_MS = 1000;

/**
 * The socket beneath one with TLS. Node has no public name for it: a server that is handed sockets does not tell which of
 * them has become secure. The first test of `test/intake/tls/handshakes.test.ts` says so where a version of Node does
 * otherwise.
 */
export function socketBeneath(secured: TLSSocket): Socket | undefined {
  const { _parent: beneath } = secured as unknown as { readonly _parent?: Socket };
  return beneath;
}

export function isSecured(socket: Socket): socket is TLSSocket {
  return socket instanceof TLSSocket;
}

/** Ends it so that the peer sees a reset: an orderly end would look as if what it has sent had arrived. */
export function resetSocket(socket: Socket): void {
  const beneath = isSecured(socket) ? socketBeneath(socket) : socket;
  if (beneath) beneath.resetAndDestroy();
  else socket.destroy();
}

/** Ends it: one with TLS tells its peer so, and needs a moment for it. */
export function endSocket(socket: Socket): void {
  if (!isSecured(socket) || socket.destroyed) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.destroySoon();
}

/** What to say of a peer without TLS whose first bytes these are: '' unless they are of a handshake, of any version. */
export function hintOfTls(bytes: Buffer): string {
  return bytes[0] === 0x16 && bytes[1] === 0x03
    ? ' (this looks like TLS, which is spoken on listen.tls.port alone)'
    : '';
}
