import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { messageOf, ReporterError } from '../model/errors.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import { Connection, type ConnectionDomain } from './connection.js';

export interface ListenerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly maxConnections: number;
  /** Number of a peer's address in the journal; asked for when it has sent its first row. */
  readonly peerNumber: (address: string) => number;
}

/** Silence after which the system asks whether a peer is still there. */
const KEEP_ALIVE_MS = 60_000;

/** The parent of the connections: takes agents in, and knows who is connected. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #domain: ConnectionDomain;
  readonly #connections: Set<Connection>;
  readonly #server: Server;
  /** The actor the connections live under. It takes no messages: nact copies the list of children for each. */
  readonly #ref: ActorRef<never>;
  #accepted = 0;

  /** `connections` is shared with the domain's budget and kept by this listener. */
  constructor(
    parent: ParentRef,
    options: ListenerOptions,
    connections: Set<Connection>,
    domain: Omit<ConnectionDomain, 'onClosed'>,
  ) {
    this.#options = options;
    this.#connections = connections;
    this.#domain = {
      ...domain,
      onClosed: (connection) => {
        connections.delete(connection);
        domain.traffic.connections = connections.size;
      },
    };
    this.#ref = spawn<never>(parent, { name: 'listener', receive: () => {}, onCrash: () => 'resume' });
    this.#server = createServer(
      // A machine that died without a word would keep its place for ever.
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      (socket) => {
        try {
          this.#accept(socket);
        } catch (error) {
          socket.destroy();
          domain.complaints.ours(
            'listener',
            'accept',
            { error: messageOf(error) },
            'cannot take a connection',
          );
        }
      },
    );
  }

  /** Binds. Resolves to the address agents can connect to. Rejects with ReporterError LISTEN_FAILED. */
  async listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    try {
      this.#server.listen({ host, port, backlog: 4096 });
      await once(this.#server, 'listening');
    } catch (error) {
      throw new ReporterError(
        'LISTEN_FAILED',
        `cannot listen on ${host}:${port} (${messageOf(error)}): free that port, or set listen.host and listen.port`,
        { cause: error },
      );
    }
    // From now on errors are of single accepts (out of file descriptors, say): agents try again by themselves.
    this.#server.on('error', (error) => {
      this.#domain.complaints.ours(
        'listener',
        'accept',
        { error: error.message },
        'cannot accept a connection',
      );
    });
    const address = this.#server.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  /** Takes no new connections; those there go on. */
  stopAccepting(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Closes all connections; what was read of them goes its way. */
  closeConnections(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  #accept(socket: Socket): void {
    const { traffic, complaints } = this.#domain;
    const peer = plainAddress(socket.remoteAddress);
    const { maxConnections } = this.#options;
    if (this.#connections.size >= maxConnections) {
      traffic.refused++;
      // An end in good order would tell the agent that everything it sent was read.
      socket.on('error', () => {}).resetAndDestroy();
      complaints.about(peer, 'refused', { maxConnections }, 'too many connections; refusing one');
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
  }
}

/** Agents are IPv4; a dual-stack socket shows them mapped into IPv6. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
