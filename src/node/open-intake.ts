import type { Config } from '../config/index.js';
import { InflightBudget } from '../intake/budget.js';
import type { Connection } from '../intake/connection.js';
import { connectionLimit } from '../intake/connection-limit.js';
import { Gate } from '../intake/gate.js';
import { HandlerTable } from '../intake/handlers.js';
import { Ingress } from '../intake/ingress.js';
import { Listener } from '../intake/listener.js';
import { Replies } from '../intake/replies.js';
import { readTlsFiles, type TlsFiles, tlsStatusOf } from '../intake/tls/tls-files.js';
import type { AgentPorts } from '../intake/transport.js';
import type { Peers } from '../journal/contract.js';
import { openFilesLimit } from '../model/open-files.js';
import { RowBuffer } from '../model/row-buffer.js';
import { until } from '../model/wait.js';
import type { EventSink } from '../observe/events.js';
import { Counts } from '../partition/counts.js';
import { ReportDecoder } from '../wire/messages.js';
import { agentPorts } from './agent-ports.js';
import type { Foundation } from './foundation.js';
import type { Writers } from './start-writers.js';

/** A stop waits this long for connections to end and for what was read to be journaled, milliseconds. */
const STOP_JOURNAL_MS = 1000;

/** The ways in. */
export interface Intake {
  /** Where agents connect. */
  readonly ports: AgentPorts;
  readonly listener: Listener;
  /** For senders in the same process. */
  readonly ingress: Ingress;
  /** Whether everything that was read is on disk. */
  isJournaled(): boolean;
  /** The rules of who may send have changed. `files`: those of `listen.tls`, read again. */
  recheck(files: TlsFiles | undefined): void;
  /** Nothing is read of any connection, until `release`. */
  hold(): void;
  release(): void;
}

/** Opens the ways in: the reference for the process, the port for agents. Rejects with LISTEN_FAILED, or CONFIG_INVALID for files of TLS. */
export async function openIntake(
  { config, options, ways, events, traffic, status, teardown }: Foundation,
  { tree, router, lanes }: Writers,
  peers: Pick<Peers, 'number'>,
): Promise<Intake> {
  const { listen } = config;
  const { inbox } = router;
  const refused = new Counts();
  const connections = new Set<Connection>();
  const budget: InflightBudget = new InflightBudget(listen, {
    *[Symbol.iterator]() {
      yield* connections;
      yield listener.alsoReads;
    },
  });
  status.add({ refused: () => refused.ledger(0), inflightBytes: () => budget.bytes });
  const ingress = new Ingress(tree.ref, {
    ...{ inbox, traffic, refused, events },
    peerNumber: peers.number('internal'),
  });
  const files = tlsFilesOf(listen);
  let tlsStatus = files ? tlsStatusOf(files) : null;
  status.add({ tls: () => tlsStatus });
  const limit = new LiveConnectionLimit(listen, events);
  const listener: Listener = new Listener(
    tree.ref,
    ways.transport(agentPorts(listen)),
    {
      get maxConnections() {
        return limit.value;
      },
      gate: new Gate(listen, (peer) => lanes.reduce((keys, { writer }) => keys + writer.keysOf(peer), 0)),
      peerNumber: (address) => peers.number(address),
      tls: files && { rules: listen.tls, files },
    },
    connections,
    {
      ...{ inbox, budget, refused, traffic, events, limits: listen },
      handlers: new HandlerTable(options.handlers ?? {}, traffic, events),
      replies: new Replies(),
      rows: new RowBuffer(8192),
      reports: new ReportDecoder(),
    },
  );
  const isJournaled = () => router.waitingRows === 0 && budget.bytes === 0;
  teardown.add('the connections', async () => {
    ingress.stopTaking();
    listener.stopAccepting();
    listener.closeConnections();
    for (const { writer } of lanes) writer.liftBound();
    // A connection that ends takes its timer along, and is told as closed: while its actor can still hear of it.
    await until(() => connections.size === 0 && isJournaled(), STOP_JOURNAL_MS);
  });
  const ports = await listener.listen();
  return {
    ...{ ports, listener, ingress, isJournaled },
    recheck: (renewed) => {
      if (renewed) tlsStatus = tlsStatusOf(renewed);
      listener.recheck(renewed);
    },
    hold: () => budget.hold(),
    release: () => budget.release(),
  };
}

/** The files of `listen.tls`; undefined where there is no port with TLS. Throws ReporterError CONFIG_INVALID. */
export function tlsFilesOf({ tls }: Config['listen']): TlsFiles | undefined {
  return tls.port === undefined ? undefined : readTlsFiles(tls);
}

/** `listen.maxConnections` as it is now, or fewer when the process may not open so many files. */
class LiveConnectionLimit {
  readonly #listen: Config['listen'];
  readonly #events: EventSink;
  readonly #openFiles = openFilesLimit();
  #configured = 0;
  #limit = 0;

  constructor(listen: Config['listen'], events: EventSink) {
    this.#listen = listen;
    this.#events = events;
    this.#look();
  }

  get value(): number {
    if (this.#listen.maxConnections !== this.#configured) this.#look();
    return this.#limit;
  }

  #look(): void {
    const configured = this.#listen.maxConnections;
    const openFiles = this.#openFiles;
    const limit = connectionLimit(configured, openFiles);
    this.#configured = configured;
    this.#limit = limit;
    if (openFiles !== undefined && limit < configured)
      this.#events.emit({ type: 'connections-limited', configured, limit, openFiles });
  }
}
