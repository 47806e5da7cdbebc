import type { Socket } from 'node:net';
import type { Address } from '../model/status.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import { Connection, type ConnectionDomain } from './connection.js';
import type { Transport } from './transport.js';

export interface ListenerOptions {
  /** Connections at a time; a further one is refused. */
  readonly maxConnections: number;
  /** Number of a peer's address in the journal; asked for when it has sent its first row. */
  readonly peerNumber: (address: string) => number;
}

/** The parent of the connections: takes agents in, and knows who is connected. */
export class Listener {
  readonly #transport: Transport;
  readonly #options: ListenerOptions;
  readonly #domain: ConnectionDomain;
  readonly #connections: Set<Connection>;
  /** The actor the connections live under. It takes no messages: nact copies the list of children for each. */
  readonly #ref: ActorRef<never>;
  #accepted = 0;

  /** `connections` is shared with the domain's budget and kept by this listener. */
  constructor(
    parent: ParentRef,
    transport: Transport,
    options: ListenerOptions,
    connections: Set<Connection>,
    domain: Omit<ConnectionDomain, 'onClosed'>,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#connections = connections;
    this.#domain = {
      ...domain,
      onClosed: (connection) => {
        connections.delete(connection);
        domain.traffic.connections = connections.size;
        domain.events.emit({
          type: 'connection-closed',
          peer: connection.peer,
          connections: connections.size,
        });
      },
    };
    this.#ref = spawn<never>(parent, { name: 'listener', receive: () => {}, onCrash: () => 'resume' });
  }

  /** Binds. Resolves to the address agents can connect to. Rejects with ReporterError LISTEN_FAILED. */
  listen(): Promise<Address> {
    return this.#transport.listen({
      onStream: (socket, peer) => this.#accept(socket, peer),
      onError: (error) => this.#domain.events.emit({ type: 'accept-failed', error }),
    });
  }

  /** Takes no new connections; those there go on. */
  stopAccepting(): void {
    this.#transport.stopAccepting();
  }

  /** Closes all connections; what was read of them goes its way. */
  closeConnections(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  #accept(socket: Socket, peer: string): void {
    const { traffic, events } = this.#domain;
    const { maxConnections } = this.#options;
    if (this.#connections.size >= maxConnections) {
      traffic.refused++;
      // An orderly end would look to the agent as if what it has sent had arrived.
      socket.resetAndDestroy();
      events.emit({ type: 'connection-rejected', peer, maxConnections });
      return;
    }
    traffic.accepted++;
    const connection = new Connection(
      this.#ref,
      `connection-${++this.#accepted}`,
      socket,
      peer,
      () => this.#options.peerNumber(peer),
      this.#domain,
    );
    this.#connections.add(connection);
    traffic.connections = this.#connections.size;
    events.emit({ type: 'connection-opened', peer, connections: this.#connections.size });
  }
}
