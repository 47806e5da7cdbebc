import { KeptTransport } from '../intake/kept-transport.js';
import type { ConnectionPast } from '../intake/past.js';
import { type AgentPorts, BACKLOG } from '../intake/transport.js';
import type { KeeperLink } from '../keeper/link.js';
import type { ReloadDesk } from '../model/reload.js';
import type { Address } from '../model/status.js';
import type { Ways } from './ways.js';

/** A journal of a process that is about to end is waited for, milliseconds. */
export const JOURNAL_WAIT_MS = 10_000;

/** Ports and connections are of a keeper. */
export class KeptWays implements Ways {
  readonly journalWaitMs = JOURNAL_WAIT_MS;
  readonly keeper = process.ppid;
  readonly reload: ReloadDesk;
  readonly #link: KeeperLink;
  readonly #pasts: Map<number, ConnectionPast> | undefined;
  #transport: KeptTransport | undefined;

  /** `pasts`: see `KeptTransport`. */
  constructor(link: KeeperLink, reload: ReloadDesk, pasts?: Map<number, ConnectionPast>) {
    this.reload = reload;
    this.#link = link;
    this.#pasts = pasts;
  }

  readonly transport = (ports: AgentPorts): KeptTransport => {
    this.#transport = new KeptTransport(ports, this.#link, this.#pasts);
    return this.#transport;
  };

  readonly bindAdmin = async (address: Address): Promise<object> => {
    const { handle } = await this.#link.bind('admin', address, BACKLOG);
    if (!handle) throw new Error('the port did not come');
    return handle;
  };

  /** What was given up for another process. */
  get given(): Map<number, ConnectionPast> {
    return this.#transport?.given ?? new Map();
  }
}
