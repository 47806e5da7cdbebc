import type { Socket } from 'node:net';
import { unreadSocket } from '../keeper/handles.js';
import type { Copy, KeeperLink } from '../keeper/link.js';
import { errorOf, messageOf, ReporterError } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { type ConnectionPast, pastOfLost } from './past.js';
import {
  BACKLOG,
  plainAddress,
  type StreamPast,
  type Transport,
  type TransportReceiver,
} from './transport.js';

/** TCP whose port and connections a keeper holds: they outlive this process. */
export class KeptTransport implements Transport {
  readonly #address: Address;
  readonly #link: KeeperLink;
  /** What the process before knew of connections, where it has told. */
  readonly #pasts: Map<number, ConnectionPast> | undefined;
  readonly #ids = new Map<Socket, number>();
  /** What another process needs to read on, of each connection that was given up. */
  readonly given = new Map<number, ConnectionPast>();

  /**
   * `pasts`: of a process that has handed over, by the keeper's number of the connection: one that is not among them was
   * not read. Without, the process before has ended without a word, if there was one.
   */
  constructor(address: Address, link: KeeperLink, pasts?: Map<number, ConnectionPast>) {
    this.#address = address;
    this.#link = link;
    this.#pasts = pasts;
  }

  async listen(receiver: TransportReceiver): Promise<Address> {
    const { host, port } = this.#address;
    try {
      const bound = await this.#link.bind('agents', { host, port }, BACKLOG);
      this.#link.tell({ kind: 'reading' });
      this.#link.takeCopies((copy) => this.#take(copy, receiver));
      return { host: bound.host, port: bound.port };
    } catch (error) {
      throw new ReporterError(
        'LISTEN_FAILED',
        `cannot listen on ${host}:${port} (${messageOf(error)}): free that port, or set listen.host and listen.port`,
        { cause: error },
      );
    }
  }

  stopAccepting(): void {
    this.#link.keepCopies();
  }

  trusted(socket: Socket): void {
    const id = this.#ids.get(socket);
    if (id !== undefined) this.#link.heard(id);
  }

  introduced(socket: Socket, peer: string): void {
    const id = this.#ids.get(socket);
    if (id !== undefined) this.#link.tell({ kind: 'introduced', id, peer });
  }

  detached(socket: Socket, past: ConnectionPast): void {
    const id = this.#ids.get(socket);
    this.#ids.delete(socket);
    if (id !== undefined) this.given.set(id, past);
  }

  #take(copy: Copy, receiver: TransportReceiver): void {
    const { id, handle } = copy;
    const socket = unreadSocket(handle);
    this.#ids.set(socket, id);
    socket.on('close', () => {
      if (this.#ids.delete(socket)) this.#link.closed(id);
    });
    const peer = socket.remoteAddress;
    if (peer === undefined) {
      // It was reset while nobody read.
      socket.destroy();
      return;
    }
    try {
      // Who takes it may pause it again, in this turn.
      socket.resume();
      receiver.onStream(socket, plainAddress(peer), this.#pastOf(copy));
    } catch (error) {
      socket.destroy();
      receiver.onError(errorOf(error));
    }
  }

  #pastOf({ id, isRead, isTrusted, peer }: Copy): StreamPast | undefined {
    if (this.#pasts) {
      const past = this.#pasts.get(id);
      this.#pasts.delete(id);
      return past && { isLost: false, past };
    }
    return isRead ? { isLost: true, past: pastOfLost(isTrusted, peer) } : undefined;
  }
}
