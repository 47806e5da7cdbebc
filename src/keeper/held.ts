import type { RawHandle } from './handles.js';

/** A connection that the keeper holds. */
export interface HeldConnection {
  readonly handle: RawHandle;
  /** A child may have read of it. */
  isRead: boolean;
  /** A good frame came of it. */
  isTrusted: boolean;
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

  add(handle: RawHandle): number {
    const id = ++this.#last;
    this.#held.set(id, { handle, isRead: false, isTrusted: false });
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

  /** A child reads from now on: of any of them. */
  read(): void {
    for (const held of this.#held.values()) held.isRead = true;
  }

  /** Closes the last copy: the peer sees the end. */
  close(id: number): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    held.handle.close();
  }
}
