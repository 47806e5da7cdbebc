import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** How a connection of an agent came to its end. */
export type LinkEnd =
  /** The agent closed it, and the reporter has read everything before it closed its side. */
  | 'read to its end'
  /** The agent broke it off. */
  | 'cut'
  /** The other side did. */
  | 'lost';

const CONNECT_MS = 2000;

/** One connection of an agent, on a bare socket: what it sent and how it ended is known exactly. */
export class Link {
  readonly #socket: Socket;
  readonly #ended: Promise<LinkEnd>;
  #closing: 'not' | 'in order' | 'cut' = 'not';
  #hasFailed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('end', () => {
      if (this.#closing === 'not') this.#hasFailed = true;
    });
    socket.resume();
    this.#ended = new Promise((resolve) => {
      socket.on('error', () => {
        this.#hasFailed = true;
        // Node emits no `close` when a reset fails, which it does while an end in order is under way.
        if (this.#closing === 'cut') resolve('cut');
      });
      socket.once('close', () => {
        if (this.#closing === 'cut') resolve('cut');
        else resolve(this.#closing === 'in order' && !this.#hasFailed ? 'read to its end' : 'lost');
      });
    });
  }

  /** Undefined when the reporter cannot be reached, or takes no handshake. With TLS where `ca` is given. */
  static async open(port: number, ca?: Buffer): Promise<Link | undefined> {
    const plain = connect({ host: '127.0.0.1', port, noDelay: true });
    // Of 1.2, the server says the last word of a handshake: who has heard it is taken.
    const socket = ca
      ? connectSecurely({ socket: plain, ca, host: 'localhost', maxVersion: 'TLSv1.2' })
      : plain;
    try {
      await once(socket, ca ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
      return new Link(socket);
    } catch {
      for (const each of [socket, plain]) each.on('error', () => {}).destroy();
      return undefined;
    }
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#hasFailed;
  }

  /** Resolves when the connection is over. Never rejects. */
  get ended(): Promise<LinkEnd> {
    return this.#ended;
  }

  /** Resolves to true when the system has taken all of it, to false when the connection is over before. */
  send(bytes: Uint8Array): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onClose = () => resolve(false);
      this.#socket.once('close', onClose);
      this.#socket.write(bytes, (error) => {
        this.#socket.removeListener('close', onClose);
        resolve(!error);
      });
    });
  }

  /** Closes in order; resolves when the other side has closed, too. */
  finish(): Promise<LinkEnd> {
    if (this.isOpen && this.#closing === 'not') {
      this.#closing = 'in order';
      this.#socket.end();
    }
    return this.#ended;
  }

  /** Breaks it off: with a reset, or in the middle of whatever was being sent. */
  cut(how: 'reset' | 'close'): Promise<LinkEnd> {
    if (!this.#socket.destroyed && !this.#hasFailed) this.#closing = 'cut';
    if (how === 'reset') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    return this.#ended;
  }
}
