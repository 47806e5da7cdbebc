import type { Socket } from 'node:net';
import type { Address } from '../model/status.js';
import type { ConnectionDenial } from '../model/traffic.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import type { Reader } from './budget.js';
import { Connection, type ConnectionDomain } from './connection.js';
import type { Gate } from './gate.js';
import { NO_PAST } from './past.js';
import { ProxiedStreams } from './proxied-streams.js';
import { plainAddress, type StreamPast, type Transport } from './transport.js';

export interface ListenerOptions {
  /** Connections at a time; a further one is refused. */
  readonly maxConnections: number;
  readonly gate: Gate;
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
  /** Of balancers, whose peers are not known yet. */
  readonly #proxied: ProxiedStreams;
  /** What other processes have known of those. */
  readonly #streams = new WeakMap<Socket, StreamPast>();
  #accepted = 0;

  /** `connections` is kept by this listener. */
  constructor(
    parent: ParentRef,
    transport: Transport,
    options: ListenerOptions,
    connections: Set<Connection>,
    domain: Omit<ConnectionDomain, 'onClosed' | 'onTrusted' | 'gate'>,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#connections = connections;
    const { gate } = options;
    this.#domain = {
      ...{ ...domain, gate },
      onTrusted: (connection) => transport.trusted?.(connection.socket),
      onClosed: (connection) => {
        connections.delete(connection);
        gate.left(connection.peer);
        domain.traffic.connections = connections.size;
        domain.events.emit({
          type: 'connection-closed',
          peer: connection.peer,
          connections: connections.size,
        });
      },
    };
    this.#proxied = new ProxiedStreams(
      {
        onHeader: (socket, address, rest) => this.#introduced(socket, address, rest),
        onRefused: (socket, why) => this.#deny(socket, addressOf(socket), 'proxy-header', why),
      },
      () => !domain.budget.parked,
      () => domain.limits.frameTimeoutMs,
    );
    this.#ref = spawn<never>(parent, { name: 'listener', receive: () => {}, onCrash: () => 'resume' });
  }

  /** Binds. Resolves to the address agents can connect to. Rejects with ReporterError LISTEN_FAILED. */
  listen(): Promise<Address> {
    return this.#transport.listen({
      onStream: (socket, peer, stream) => this.#arrive(socket, peer, stream),
      onError: (error) => this.#domain.events.emit({ type: 'accept-failed', error }),
    });
  }

  /** Who is to stop reading when all do, beside the connections. */
  get alsoReads(): Reader {
    return this.#proxied;
  }

  /** The rules have changed: closes the connections of those who may not send any more. */
  recheck(): void {
    for (const connection of [...this.#connections]) {
      if (this.#options.gate.mayConnect(connection.peer)) continue;
      this.#countDenial(connection.peer, 'rules-changed', 'its address may not send any more');
      connection.close();
    }
  }

  /** Takes no new connections; those there go on. */
  stopAccepting(): void {
    this.#transport.stopAccepting();
  }

  /** Closes all connections; what was read of them goes its way. */
  closeConnections(): void {
    this.#proxied.close();
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
    for (const [socket, rest] of this.#proxied.detach()) {
      const stream = this.#streams.get(socket);
      this.#transport.detached?.(socket, { ...NO_PAST, rest, isUncertain: isUncertain(stream) });
    }
  }

  /** A stream has come; whom it is of, a balancer has to tell first. */
  #arrive(socket: Socket, address: string, stream?: StreamPast): void {
    const known = stream?.past.peer;
    // Whom a balancer speaks for is told before good frames are: a trusted one without a peer was let in as it is.
    const isDirect = stream?.past.isTrusted || !this.#options.gate.isBalancer(address);
    if (known !== undefined || isDirect) {
      this.#accept(socket, known ?? address, stream);
      return;
    }
    if (this.#connections.size + this.#proxied.size >= this.#options.maxConnections && !stream) {
      this.#refuse(socket, address);
      return;
    }
    if (stream) this.#streams.set(socket, stream);
    this.#proxied.read(socket, {
      rest: stream?.past.rest ?? NO_PAST.rest,
      isUncertain: isUncertain(stream),
    });
  }

  #introduced(socket: Socket, address: string | undefined, rest: Buffer): void {
    const before = this.#streams.get(socket);
    const peer = address ?? addressOf(socket);
    this.#transport.introduced?.(socket, peer);
    const stream = {
      isLost: before?.isLost ?? false,
      past: { ...(before?.past ?? NO_PAST), isUncertain: false, rest, peer },
    };
    this.#accept(socket, peer, stream, !isUncertain(before));
  }

  /** `isNew`: nobody has read of it as a connection. */
  #accept(socket: Socket, peer: string, stream?: StreamPast, isNew = stream === undefined): void {
    const { traffic, events } = this.#domain;
    const { maxConnections, gate } = this.#options;
    const denial = isNew || !gate.mayConnect(peer) ? gate.denialOf(peer) : undefined;
    if (denial) {
      this.#deny(socket, peer, denial, DENIALS[denial]);
      return;
    }
    // One that was read before has been let in.
    if (isNew && this.#connections.size >= maxConnections) {
      this.#refuse(socket, peer);
      return;
    }
    if (isNew) traffic.accepted++;
    else if (stream?.isLost) traffic.resumed++;
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

  /** There are too many. */
  #refuse(socket: Socket, peer: string): void {
    const { traffic, events } = this.#domain;
    traffic.refused++;
    // An orderly end would look to the agent as if what it has sent had arrived.
    socket.resetAndDestroy();
    events.emit({ type: 'connection-rejected', peer, maxConnections: this.#options.maxConnections });
  }

  /** A reset: an orderly end would look to the agent as if what it has sent had arrived. */
  #deny(socket: Socket, peer: string, reason: ConnectionDenial, why: string): void {
    this.#countDenial(peer, reason, why);
    socket.resetAndDestroy();
  }

  #countDenial(peer: string, reason: ConnectionDenial, why: string): void {
    const { traffic, events } = this.#domain;
    traffic.denied[reason]++;
    events.emit({ type: 'connection-denied', peer, reason, why });
  }
}

const DENIALS = {
  address: 'its address may not connect: see listen.allow and listen.deny',
  'address-full':
    'its address has as many connections as listen.perAddress.connections allows: raise it where a whole site comes ' +
    'from one address, or name its balancer in listen.proxyFrom',
} as const;

/** Whether a balancer may have told already, to a process that has ended without a word. */
const isUncertain = (stream: StreamPast | undefined) => stream?.isLost || stream?.past.isUncertain || false;

const addressOf = (socket: Socket) => plainAddress(socket.remoteAddress);
