import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionDenial } from '../model/traffic.js';
import { until } from '../model/wait.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import type { Reader } from './budget.js';
import { Connection, type ConnectionDomain } from './connection.js';
import type { Gate } from './gate.js';
import { NO_PAST } from './past.js';
import { ProxiedStreams } from './proxied-streams.js';
import { Handshakes } from './tls/handshakes.js';
import { isSecured, resetSocket } from './tls/secured-socket.js';
import type { TlsFiles, TlsRules } from './tls/tls-files.js';
import { type AgentPorts, plainAddress, type StreamPast, type Transport } from './transport.js';

export interface ListenerOptions {
  /** Connections at a time; a further one is refused. */
  readonly maxConnections: number;
  readonly gate: Gate;
  /** Number of a peer's address in the journal; asked for when it has sent its first row. */
  readonly peerNumber: (address: string) => number;
  /** Of the port with TLS; undefined when there is none. */
  readonly tls?: { readonly rules: TlsRules; readonly files: TlsFiles } | undefined;
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
  /** Those that begin with TLS. */
  readonly #toBeSecured = new WeakSet<Socket>();
  readonly #handshakes: Handshakes | undefined;
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
    const { gate, tls } = options;
    const { traffic } = domain;
    this.#domain = {
      ...{ ...domain, gate },
      onTrusted: (connection) => transport.trusted?.(connection.socket),
      onClosed: (connection) => {
        connections.delete(connection);
        gate.left(connection.peer);
        traffic.connections = connections.size;
        if (isSecured(connection.socket)) traffic.tls.connections--;
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
    this.#handshakes =
      tls &&
      new Handshakes(tls.rules, tls.files, traffic.tls, {
        onSecured: (socket, _beneath, peer) => this.#secured(socket, peer),
        onFailed: (peer, reason, why) => {
          traffic.tls.failed[reason]++;
          domain.events.emit({ type: 'handshake-failed', peer, reason, why });
        },
      });
    this.#ref = spawn<never>(parent, { name: 'listener', receive: () => {}, onCrash: () => 'resume' });
  }

  /** Binds. Resolves to the addresses agents can connect to. Rejects with ReporterError LISTEN_FAILED. */
  listen(): Promise<AgentPorts> {
    return this.#transport.listen({
      onStream: (socket, peer, stream) => this.#arrive(socket, peer, stream),
      onSecureStream: (socket, peer, stream) => this.#arriveForTls(socket, peer, stream),
      onError: (error) => this.#domain.events.emit({ type: 'accept-failed', error }),
    });
  }

  /** Who is to stop reading when all do, beside the connections. */
  get alsoReads(): Reader {
    return this.#proxied;
  }

  /**
   * The rules have changed: closes the connections of those who may not send any more. `files`: what TLS uses from now on,
   * where there is a port with it.
   */
  recheck(files?: TlsFiles): void {
    if (files) this.#handshakes?.use(files);
    for (const connection of [...this.#connections]) {
      const why = this.#options.gate.mayConnect(connection.peer)
        ? isSecured(connection.socket) && this.#handshakes?.refusalOf(connection.socket)?.why
        : 'its address may not send any more';
      if (!why) continue;
      this.#countDenial(connection.peer, 'rules-changed', why);
      connection.close();
    }
  }

  /** Takes no new connections; those there go on. */
  stopAccepting(): void {
    this.#transport.stopAccepting();
  }

  /** Closes all connections; what was read of them goes its way. */
  closeConnections(): void {
    this.#handshakes?.close();
    this.#proxied.close();
    for (const connection of [...this.#connections]) connection.close();
  }

  /**
   * Ends the connections with TLS in order: nobody else can read them on. Each is read until its peer has ended it, too,
   * which is waited for no longer than `boundMs`. No handshake begins until `goOn`.
   */
  async endSecured(boundMs: number): Promise<void> {
    this.#handshakes?.hold();
    const { tls } = this.#domain.traffic;
    for (const connection of this.#connections) {
      if (!isSecured(connection.socket)) continue;
      tls.ended++;
      connection.leave();
    }
    await until(() => tls.connections === 0, boundMs);
  }

  /** Nothing is given up after all. */
  goOn(): void {
    this.#handshakes?.release();
  }

  /**
   * Gives all connections up for another process; the transport is told of each what is needed to read it on. Nobody may
   * read, and all that was read must be journaled.
   */
  detachConnections(): void {
    for (const connection of [...this.#connections]) {
      const { socket } = connection;
      if (isSecured(socket)) {
        connection.close();
        continue;
      }
      const past = connection.detach();
      if (past) this.#transport.detached?.(socket, past);
    }
    for (const [socket, rest] of this.#proxied.detach()) {
      const stream = this.#streams.get(socket);
      this.#transport.detached?.(socket, { ...NO_PAST, rest, isUncertain: isUncertain(stream) });
    }
    for (const [socket, peer, rest] of this.#handshakes?.detach() ?? [])
      this.#transport.detached?.(socket, { ...NO_PAST, rest, peer });
  }

  /** All that take a place of `maxConnections`. */
  get #size(): number {
    return this.#connections.size + this.#proxied.size + (this.#handshakes?.size ?? 0);
  }

  /** As `#arrive`, of a stream that begins with TLS, or with what a balancer tells before. */
  #arriveForTls(socket: Socket, address: string, stream?: StreamPast): void {
    if (!this.#handshakes || stream?.isLost) {
      // Its keys have ended with the process that read it.
      if (stream?.isLost) this.#domain.traffic.tls.lost++;
      socket.resetAndDestroy();
      return;
    }
    this.#toBeSecured.add(socket);
    this.#arrive(socket, address, stream);
  }

  /** Whose stream it is, is known; `rest`: what was read of it. */
  #shakeHands(socket: Socket, peer: string, rest: Buffer): void {
    const handshakes = this.#handshakes!;
    const denial = this.#options.gate.denialOf(peer, handshakes.countOf(peer));
    if (denial) {
      this.#deny(socket, peer, denial, DENIALS[denial]);
      return;
    }
    if (this.#size >= this.#options.maxConnections && !handshakes.makeRoomFor(peer)) {
      this.#refuse(socket, peer);
      return;
    }
    socket.pause();
    const bytesBefore = Math.max(0, socket.bytesRead - rest.length);
    if (rest.length > 0) socket.unshift(rest);
    handshakes.add(socket, peer, bytesBefore);
  }

  #secured(socket: TLSSocket, peer: string): void {
    const { tls } = this.#domain.traffic;
    tls.handshakes++;
    this.#accept(socket, peer);
  }

  /** A stream has come; whom it is of, a balancer has to tell first. */
  #arrive(socket: Socket, address: string, stream?: StreamPast): void {
    const known = stream?.past.peer;
    // Whom a balancer speaks for is told before good frames are: a trusted one without a peer was let in as it is.
    const isDirect = stream?.past.isTrusted || !this.#options.gate.isBalancer(address);
    if (known !== undefined || isDirect) {
      const peer = known ?? address;
      if (this.#toBeSecured.has(socket)) this.#shakeHands(socket, peer, stream?.past.rest ?? NO_PAST.rest);
      else this.#accept(socket, peer, stream);
      return;
    }
    const isFull = !stream && this.#size >= this.#options.maxConnections;
    const isSecure = this.#toBeSecured.has(socket);
    if (isFull && !(isSecure ? this.#handshakes?.makeRoomFor(address) : this.#handshakes?.makeRoom())) {
      this.#refuse(socket, address);
      return;
    }
    socket.resume();
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
    if (this.#toBeSecured.has(socket)) {
      this.#shakeHands(socket, peer, rest);
      return;
    }
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
    // One that was read before has been let in. Who has not shown yet that it is an agent gives up its place.
    const isFull = this.#connections.size + (this.#handshakes?.size ?? 0) >= maxConnections;
    if (isNew && isFull && !this.#handshakes?.makeRoom()) {
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
    if (isSecured(socket)) traffic.tls.connections++;
    events.emit({ type: 'connection-opened', peer, connections: this.#connections.size });
  }

  /** There are too many. */
  #refuse(socket: Socket, peer: string): void {
    const { traffic, events } = this.#domain;
    traffic.refused++;
    // An orderly end would look to the agent as if what it has sent had arrived.
    resetSocket(socket);
    events.emit({ type: 'connection-rejected', peer, maxConnections: this.#options.maxConnections });
  }

  /** A reset: an orderly end would look to the agent as if what it has sent had arrived. */
  #deny(socket: Socket, peer: string, reason: ConnectionDenial, why: string): void {
    // One without an address was reset before anybody looked: a health check, for example.
    if (isIP(peer) !== 0) this.#countDenial(peer, reason, why);
    resetSocket(socket);
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
