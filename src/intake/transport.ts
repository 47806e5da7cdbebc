import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { messageOf, ReporterError } from '../model/errors.js';
import type { Address } from '../model/status.js';
import type { ConnectionPast } from './past.js';

/**
 * What carries the bytes of agents: a port that gives out streams. Each implementation gives a `Socket`, of which a
 * connection uses the stream, `remotePort` and `destroy`: a TLS socket is one, too.
 */
export interface Transport {
  /**
   * Binds. Resolves to the address that agents can connect to. Rejects with ReporterError LISTEN_FAILED. To be called
   * once.
   */
  listen(receiver: TransportReceiver): Promise<Address>;
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

/** TCP without encryption: what the original agents speak. */
export class PlainTransport implements Transport {
  readonly #address: Address;
  readonly #fd: number | undefined;
  readonly #server: Server;

  /** Port 0 = any free one. `fd`: a socket that is bound already, in place of the address. */
  constructor(address: Address, fd?: number) {
    this.#address = address;
    this.#fd = fd;
    // A machine that died without a word would keep its place for ever.
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
  }

  async listen(receiver: TransportReceiver): Promise<Address> {
    const { host, port } = this.#address;
    this.#server.on('connection', (socket: Socket) => {
      try {
        receiver.onStream(socket, plainAddress(socket.remoteAddress));
      } catch (error) {
        socket.destroy();
        receiver.onError(error instanceof Error ? error : new Error(String(error)));
      }
    });
    try {
      this.#server.listen(this.#fd === undefined ? { host, port, backlog: BACKLOG } : { fd: this.#fd });
      await once(this.#server, 'listening');
    } catch (error) {
      throw new ReporterError(
        'LISTEN_FAILED',
        `cannot listen on ${host}:${port} (${messageOf(error)}): free that port, or set listen.host and listen.port`,
        { cause: error },
      );
    }
    // From now on errors are of single accepts: agents try again by themselves.
    this.#server.on('error', (error) => receiver.onError(error));
    const bound = this.#server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  stopAccepting(): void {
    if (this.#server.listening) this.#server.close();
  }
}

/** Agents are IPv4; a dual-stack socket shows them mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
