import type { Socket } from 'node:net';
import { unreadSocket } from '../keeper/handles.js';
import type { Copy, KeeperLink } from '../keeper/link.js';
import { errorOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { type ConnectionPast, pastOfLost } from './past.js';
import {
  type AgentPorts,
  BACKLOG,
  listenFailed,
  plainAddress,
  type StreamPast,
  type Transport,
  type TransportReceiver,
} from './transport.js';

/** TCP whose ports and connections a keeper holds: they outlive this process. */
export class KeptTransport implements Transport {
  readonly #ports: AgentPorts;
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
  constructor(ports: AgentPorts, link: KeeperLink, pasts?: Map<number, ConnectionPast>) {
    this.#ports = ports;
    this.#link = link;
    this.#pasts = pasts;
  }

  async listen(receiver: TransportReceiver): Promise<AgentPorts> {
    const { plain, secure } = this.#ports;
    const bound = {
      plain: await this.#bind('agents', plain),
      secure: secure && (await this.#bind('agents-tls', secure)),
    };
    this.#link.tell({ kind: 'reading' });
    this.#link.takeCopies((copy) => this.#take(copy, receiver));
    return bound;
  }

  async #bind(name: 'agents' | 'agents-tls', address: Address): Promise<Address> {
    try {
      const { host, port } = await this.#link.bind(name, address, BACKLOG);
      return { host, port };
    } catch (error) {
      throw listenFailed(address, name === 'agents' ? 'listen' : 'listen.tls', error);
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
    const { id, handle, port } = copy;
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
      if (port === 'agents-tls') {
        receiver.onSecureStream(socket, plainAddress(peer), this.#pastOf(copy));
        return;
      }
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
