import {
  type AgentPort,
  type Downward,
  KEPT_VARIABLE,
  type PortName,
  type Role,
  type Signal,
  type StatePiece,
  type Upward,
} from './channel.js';
import type { RawHandle } from './handles.js';

/** A copy of a connection, unread. */
export interface Copy {
  readonly id: number;
  readonly handle: RawHandle;
  readonly isRead: boolean;
  readonly isTrusted: boolean;
  /** As a child has heard of a balancer. */
  readonly peer?: string | undefined;
  /** Where it came. */
  readonly port: AgentPort;
}

export interface BoundPort {
  readonly host: string;
  readonly port: number;
  /** To listen on, where the keeper does not accept. */
  readonly handle?: RawHandle;
}

/** What the keeper wants of its child. */
export interface LinkEvents {
  readonly signal: (signal: Signal) => void;
  readonly reload: () => void;
  readonly 'let-go': () => void;
  readonly 'take-over': () => void;
  readonly 'not-handed': (why: string) => void;
  readonly end: () => void;
  readonly 'turned-away': (count: number) => void;
  /** The keeper is gone. */
  readonly orphaned: () => void;
}

/** Ids are told to the keeper together, after so long. */
const GATHER_MS = 5;

/** The child's end of the channel to its keeper. */
export class KeeperLink {
  readonly role: Role;
  /** Pieces that the child before has given. */
  readonly pieces: StatePiece[] = [];
  readonly #listeners: { [E in keyof LinkEvents]?: LinkEvents[E] } = {};
  /** Copies that nobody has taken, by id. */
  readonly #copies = new Map<number, Copy>();
  #onCopy: ((copy: Copy) => void) | undefined;
  readonly #bindings = new Map<
    number,
    { resolve: (port: BoundPort) => void; reject: (error: Error) => void }
  >();
  #asked = 0;
  #closed: number[] = [];
  #heard: number[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #isAllSent = false;
  #whenAllSent: (() => void)[] = [];
  #whenTaken: (() => void) | undefined;

  /** Undefined when this process was not started by a keeper. To be called once, before anything else. */
  static open(): KeeperLink | undefined {
    const { [KEPT_VARIABLE]: kept = '' } = process.env;
    delete process.env[KEPT_VARIABLE];
    const [pid, role] = kept.split(' ');
    if (!process.send || Number(pid) !== process.ppid) return undefined;
    return new KeeperLink(role as Role);
  }

  private constructor(role: Role) {
    this.role = role;
    process.on('message', (message, handle) =>
      this.#hear(message as Downward, handle as unknown as RawHandle | undefined),
    );
    process.on('disconnect', () => this.#listeners.orphaned?.());
    this.tell({ kind: 'hello' });
  }

  /** Sets who is told of an event. */
  on<E extends keyof LinkEvents>(event: E, listener: LinkEvents[E]): void {
    this.#listeners[event] = listener;
  }

  tell(message: Upward): void {
    if (!process.connected) return;
    // What was closed before is told before.
    if (message.kind !== 'closed' && message.kind !== 'heard') this.#tellIds();
    process.send?.(message, undefined, undefined, () => {});
  }

  /** Resolves when the keeper holds the port. Rejects with what the system says. */
  bind(name: PortName, { host, port }: { host: string; port: number }, backlog: number): Promise<BoundPort> {
    const ask = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#bindings.set(ask, { resolve, reject });
      this.tell({ kind: 'bind', ask, name, host, port, backlog });
    });
  }

  /** Hands over the copies there are, and from then on those that come. */
  takeCopies(onCopy: (copy: Copy) => void): void {
    this.#onCopy = onCopy;
    const copies = [...this.#copies.values()];
    this.#copies.clear();
    for (const copy of copies) onCopy(copy);
  }

  /** Copies that come are kept unread again. */
  keepCopies(): void {
    this.#onCopy = undefined;
  }

  /** A connection is over. */
  closed(id: number): void {
    this.#closed.push(id);
    this.#gather();
  }

  /** The peer of a connection has sent a good frame. */
  heard(id: number): void {
    this.#heard.push(id);
    this.#gather();
  }

  /** Resolves when a successor has taken the piece. */
  async give(piece: StatePiece): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#whenTaken = resolve;
      this.tell({ kind: 'state', piece });
    });
  }

  /** Resolves when all connections that the keeper had at the beginning are here. */
  allSent(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isAllSent) resolve();
      else this.#whenAllSent.push(resolve);
    });
  }

  #hear(message: Downward, handle: RawHandle | undefined): void {
    switch (message.kind) {
      case 'connection':
        if (handle) this.#take({ ...message, handle });
        // It has ended on its way.
        else this.closed(message.id);
        break;
      case 'all-sent':
        this.#isAllSent = true;
        for (const resolve of this.#whenAllSent.splice(0)) resolve();
        break;
      case 'over':
        for (const id of message.ids) {
          this.#copies.get(id)?.handle.close();
          this.#copies.delete(id);
        }
        break;
      case 'bound':
        this.#answer(message.ask)?.resolve({
          ...{ host: message.host, port: message.port },
          ...(handle ? { handle } : {}),
        });
        break;
      case 'not-bound':
        this.#answer(message.ask)?.reject(new Error(message.why));
        break;
      case 'state':
        this.pieces.push(message.piece);
        this.tell({ kind: 'taken' });
        break;
      case 'taken':
        this.#whenTaken?.();
        break;
      case 'signal':
        this.#listeners.signal?.(message.signal);
        break;
      case 'not-handed':
        this.#listeners['not-handed']?.(message.why);
        break;
      case 'turned-away':
        this.#listeners['turned-away']?.(message.count);
        break;
      case 'let-go':
      case 'take-over':
      case 'reload':
      case 'end':
        this.#listeners[message.kind]?.();
    }
  }

  #take({ id, handle, isRead, isTrusted, peer, port }: Copy): void {
    const copy = { id, handle, isRead, isTrusted, peer, port };
    if (this.#onCopy) this.#onCopy(copy);
    else this.#copies.set(id, copy);
  }

  #answer(ask: number) {
    const waiting = this.#bindings.get(ask);
    this.#bindings.delete(ask);
    return waiting;
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => this.#tellIds(), GATHER_MS);
  }

  #tellIds(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const [closed, heard] = [this.#closed, this.#heard];
    this.#closed = [];
    this.#heard = [];
    if (heard.length > 0) this.tell({ kind: 'heard', ids: heard });
    if (closed.length > 0) this.tell({ kind: 'closed', ids: closed });
  }
}
