import { type AgentPorts, OwnTransport, type Transport } from '../intake/transport.js';
import type { ReloadDesk } from '../model/reload.js';
import type { Address } from '../model/status.js';

/** How a reporter gets its ports: of its own, or of a process that holds them for it. */
export interface Ways {
  readonly transport: (ports: AgentPorts) => Transport;
  /** What the admin HTTP listens on, as `listen` of a server takes it, bound already. It binds itself without. */
  readonly bindAdmin?: (address: Address) => Promise<object>;
  /** A journal that another process still holds is waited for so long, milliseconds. */
  readonly journalWaitMs: number;
  /** Who reads the configuration again. */
  readonly reload?: ReloadDesk;
  /** The process that holds the connections; null where this one does. */
  readonly keeper: number | null;
}

/** Everything is of this process. */
export const OWN_WAYS: Ways = {
  transport: (ports) => new OwnTransport(ports),
  journalWaitMs: 0,
  keeper: null,
};
