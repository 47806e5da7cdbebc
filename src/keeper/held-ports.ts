import { createServer, type Server } from 'node:net';
import type { AgentPort, PortName } from './channel.js';
import { bindOnly, type RawHandle, takeUnread } from './handles.js';

/** Silence after which the system asks whether a peer is still there. */
const KEEP_ALIVE_S = 60;

const AGENT_PORTS: readonly AgentPort[] = ['agents', 'agents-tls'];

interface Place {
  readonly host: string;
  readonly port: number;
}

interface HeldPort {
  /** As it was asked for. */
  readonly asked: Place;
  readonly bound: Place;
  /** Of a port on which the child itself listens. */
  readonly handle?: RawHandle;
  close(): void;
}

export interface HeldPortsOptions {
  /** Ports that were bound before this process began, by name, as file descriptors. */
  readonly inherited: ReadonlyMap<string, number>;
  readonly onConnection: (handle: RawHandle, port: AgentPort) => void;
  readonly onError: (status: number) => void;
}

/**
 * The ports, which outlive each child. Connections of agents are accepted here; on the port of the admin HTTP the child
 * listens, and what comes while there is none waits.
 */
export class HeldPorts {
  readonly #options: HeldPortsOptions;
  readonly #ports = new Map<PortName, HeldPort>();
  /** Those a successor asked for, until it takes over. */
  readonly #wanted = new Map<PortName, HeldPort>();
  /** All that it asked for, those that are held already among them. */
  readonly #named = new Set<PortName>();

  constructor(options: HeldPortsOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the address, and to a handle where the child is to listen itself. One that is held is given again.
   * `isNext`: for a successor, whose ports take the place of those that are held when it takes over. Rejects as
   * `listen` does.
   */
  async bind(name: PortName, asked: Place, backlog: number, isNext: boolean): Promise<HeldPort> {
    if (isNext) this.#named.add(name);
    const held = (isNext ? this.#wanted.get(name) : undefined) ?? this.#ports.get(name);
    // One that was bound for us is where it is, whatever the configuration says.
    const isThere = this.#options.inherited.has(name);
    if (held && (isThere || (held.asked.host === asked.host && held.asked.port === asked.port))) return held;
    const opened = await this.#open(name, asked, backlog);
    const into = isNext ? this.#wanted : this.#ports;
    into.get(name)?.close();
    into.set(name, opened);
    return opened;
  }

  /** Agents that connect are refused from now on. */
  stopAccepting(): void {
    for (const ports of [this.#ports, this.#wanted])
      for (const name of AGENT_PORTS) {
        ports.get(name)?.close();
        ports.delete(name);
      }
  }

  /** The successor has taken over. */
  keepWanted(): void {
    // Without TLS any more, say.
    for (const name of AGENT_PORTS) {
      if (this.#named.has(name)) continue;
      this.#ports.get(name)?.close();
      this.#ports.delete(name);
    }
    this.#named.clear();
    for (const [name, port] of this.#wanted) {
      this.#ports.get(name)?.close();
      this.#ports.set(name, port);
    }
    this.#wanted.clear();
  }

  /** There is no successor any more. */
  dropWanted(): void {
    for (const port of this.#wanted.values()) port.close();
    this.#wanted.clear();
    this.#named.clear();
  }

  close(): void {
    this.dropWanted();
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }

  async #open(name: PortName, asked: Place, backlog: number): Promise<HeldPort> {
    const fd = this.#options.inherited.get(name);
    if (name === 'admin') {
      const handle = await bindOnly(fd === undefined ? asked : { fd });
      return { asked, bound: placeOf(handle, asked), handle, close: () => handle.close() };
    }
    const server = createServer();
    await listening(server, fd === undefined ? { ...asked, backlog } : { fd });
    const { onConnection, onError } = this.#options;
    takeUnread(
      server,
      (handle) => {
        handle.setNoDelay(true);
        // A machine that died without a word would keep its place for ever.
        handle.setKeepAlive(true, KEEP_ALIVE_S);
        onConnection(handle, name);
      },
      onError,
    );
    server.on('error', () => {});
    const address = server.address();
    const bound =
      address && typeof address === 'object' ? { host: address.address, port: address.port } : asked;
    return { asked, bound, close: () => server.close() };
  }
}

function listening(server: Server, how: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(how, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function placeOf(handle: RawHandle, asked: Place): Place {
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  return { host: bound.address ?? asked.host, port: bound.port ?? asked.port };
}
