import type { Socket } from 'node:net';
import type { Address } from '../model/status.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import { Connection, type ConnectionDomain } from './connection.js';
import type { StreamPast, Transport } from './transport.js';

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
    domain: Omit<ConnectionDomain, 'onClosed' | 'onTrusted'>,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#connections = connections;
    this.#domain = {
      ...domain,
      onTrusted: (connection) => transport.trusted?.(connection.socket),
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
      onStream: (socket, peer, past) => this.#accept(socket, peer, past),
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

  /**
   * Gives all connections up for another process; the transport is told of each what is needed to read it on. Nobody may
   * read, and all that was read must be journaled.
   */
  detachConnections(): void {
    for (const connection of [...this.#connections]) {
      const { socket } = connection;
      const past = connection.detach();
      if (past) this.#transport.detached?.(socket, past);
    }
  }

  #accept(socket: Socket, peer: string, stream?: StreamPast): void {
    const { traffic, events } = this.#domain;
    const { maxConnections } = this.#options;
    // One that was read before has been let in.
    if (!stream && this.#connections.size >= maxConnections) {
      traffic.refused++;
      // An orderly end would look to the agent as if what it has sent had arrived.
      socket.resetAndDestroy();
      events.emit({ type: 'connection-rejected', peer, maxConnections });
      return;
    }
    if (!stream) traffic.accepted++;
    else if (stream.isLost) traffic.resumed++;
    else traffic.handedOver++;
    const connection = new Connection(
      this.#ref,
      `connection-${++this.#accepted}`,
      socket,
      peer,
      () => this.#options.peerNumber(peer),
      this.#domain,
      stream?.past,
    );
    this.#connections.add(connection);
    traffic.connections = this.#connections.size;
    events.emit({ type: 'connection-opened', peer, connections: this.#connections.size });
  }
}
