import type { AgentPort } from './channel.js';
import type { RawHandle } from './handles.js';

/** A child refuses and counts connections beyond its limit itself; this many more may be on their way to it. */
const ON_THE_WAY = 1000;
/**
 * Files that are left for what is no connection, at most. A child has as many as its keeper may have, and until it reads,
 * a copy of each connection: a copy for which it has no file left is lost without a word.
 */
const SPARE_FILES = 200;

/** How many connections may be held. `openFiles`: how many files a process may have open; undefined where nobody knows. */
export function heldLimit(maxConnections: number, openFiles = Number.POSITIVE_INFINITY): number {
  const spare = Math.min(SPARE_FILES, Math.floor(openFiles / 4));
  return Math.max(1, Math.min(maxConnections + ON_THE_WAY, openFiles - spare));
}

/** A connection that the keeper holds. */
export interface HeldConnection {
  readonly handle: RawHandle;
  /** Where it came. */
  readonly port: AgentPort;
  /** A child may have read of it. */
  isRead: boolean;
  /** A good frame came of it. */
  isTrusted: boolean;
  /** The peer, where a balancer has told a child. */
  peer?: string;
}

/** The keeper's copy of each connection. */
export class HeldConnections {
  readonly #held = new Map<number, HeldConnection>();
  #last = 0;

  get size(): number {
    return this.#held.size;
  }

  get ids(): Iterable<number> {
    return this.#held.keys();
  }

  add(handle: RawHandle, port: AgentPort): number {
    const id = ++this.#last;
    this.#held.set(id, { handle, port, isRead: false, isTrusted: false });
    return id;
  }

  get(id: number): HeldConnection | undefined {
    return this.#held.get(id);
  }

  /** Peers that can be trusted to go on with a good frame. */
  trust(ids: readonly number[]): void {
    for (const id of ids) {
      const held = this.#held.get(id);
      if (held) held.isTrusted = true;
    }
  }

  /** A balancer speaks for this peer. */
  introduce(id: number, peer: string): void {
    const held = this.#held.get(id);
    if (held) held.peer = peer;
  }

  /** A child reads from now on: of all of them but those it has no copy of yet. */
  read(unsent: ReadonlySet<number>): void {
    for (const [id, held] of this.#held) held.isRead ||= !unsent.has(id);
  }

  /** Closes the last copy: the peer sees the end. */
  close(id: number): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    held.handle.close();
  }
}
