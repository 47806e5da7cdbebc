import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { errorOf, messageOf, ReporterError } from '../model/errors.js';
import type { Address } from '../model/status.js';
import type { ConnectionPast } from './past.js';

/** Where agents connect. */
export interface AgentPorts {
  readonly plain: Address;
  /** With TLS; none unless given. */
  readonly secure?: Address | undefined;
}

/** What carries the bytes of agents: ports that give out streams. */
export interface Transport {
  /**
   * Binds. Resolves to the addresses that agents can connect to. Rejects with ReporterError LISTEN_FAILED; nothing is
   * bound then. To be called once.
   */
  listen(receiver: TransportReceiver): Promise<AgentPorts>;
  /** Takes no new streams; those given out go on. Idempotent. */
  stopAccepting(): void;
  /** The peer of a stream has sent a good frame. Who keeps streams for later is told. */
  trusted?(socket: Socket): void;
  /** A balancer has told whom it speaks for. Who keeps streams for later is told. */
  introduced?(socket: Socket, peer: string): void;
  /** A stream is given up for another process, and not over. */
  detached?(socket: Socket, past: ConnectionPast): void;
}

/** Who takes the streams of a transport. */
export interface TransportReceiver {
  /** `peer`: the address without port; `past`: of a stream that was read before. What it throws closes the stream. */
  onStream(socket: Socket, peer: string, past?: StreamPast): void;
  /** As `onStream`, for the port with TLS: nothing of the stream is read, and it does not flow. */
  onSecureStream(socket: Socket, peer: string, past?: StreamPast): void;
  /** A stream could not be taken, for example because there are no file descriptors left. */
  onError(error: Error): void;
}

/** A stream that another process has read before. */
export interface StreamPast {
  /** That process ended without a word. */
  readonly isLost: boolean;
  readonly past: ConnectionPast;
}

/** Silence after which the system asks whether a peer is still there. */
const KEEP_ALIVE_MS = 60_000;
/** Connections that may wait to be accepted: a site whose agents all connect at the same time. */
export const BACKLOG = 4096;

/** TCP whose ports are of this process. */
export class OwnTransport implements Transport {
  readonly #ports: AgentPorts;
  readonly #fds: { readonly [Port in keyof AgentPorts]?: number | undefined };
  readonly #servers: Server[] = [];

  /** Port 0 = any free one. `fds`: sockets that are bound already, in place of the addresses. */
  constructor(ports: AgentPorts, fds: { readonly [Port in keyof AgentPorts]?: number | undefined } = {}) {
    this.#ports = ports;
    this.#fds = fds;
  }

  async listen(receiver: TransportReceiver): Promise<AgentPorts> {
    const { plain, secure } = this.#ports;
    const { onError } = receiver;
    try {
      return {
        plain: await this.#open(
          plain,
          'listen',
          this.#fds.plain,
          (...stream) => receiver.onStream(...stream),
          onError,
        ),
        secure:
          secure &&
          (await this.#open(
            secure,
            'listen.tls',
            this.#fds.secure,
            (...stream) => receiver.onSecureStream(...stream),
            onError,
          )),
      };
    } catch (error) {
      this.stopAccepting();
      throw error;
    }
  }

  stopAccepting(): void {
    for (const server of this.#servers) if (server.listening) server.close();
  }

  /** `section`: where its address stands in the configuration. */
  async #open(
    { host, port }: Address,
    section: 'listen' | 'listen.tls',
    fd: number | undefined,
    onStream: (socket: Socket, peer: string) => void,
    onError: (error: Error) => void,
  ): Promise<Address> {
    const server = createServer({
      noDelay: true,
      // A machine that died without a word would keep its place for ever.
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      pauseOnConnect: section === 'listen.tls',
    });
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      try {
        onStream(socket, plainAddress(socket.remoteAddress));
      } catch (error) {
        socket.destroy();
        onError(errorOf(error));
      }
    });
    try {
      server.listen(fd === undefined ? { host, port, backlog: BACKLOG } : { fd });
      await once(server, 'listening');
    } catch (error) {
      throw listenFailed({ host, port }, section, error);
    }
    // From now on errors are of single accepts: agents try again by themselves.
    server.on('error', onError);
    const bound = server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }
}

export function listenFailed(
  { host, port }: Address,
  section: 'listen' | 'listen.tls',
  error: unknown,
): ReporterError {
  return new ReporterError(
    'LISTEN_FAILED',
    `cannot listen on ${host}:${port} (${messageOf(error)}): free that port, or set ${section}.host and ${section}.port`,
    { cause: error },
  );
}

/** Agents are IPv4; a dual-stack socket shows them mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
