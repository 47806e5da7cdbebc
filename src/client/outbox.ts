import type { Report } from '../model/report.js';

/** A service as one agent reports it. */
export interface ServiceKey {
  readonly modid: number;
  readonly cmdid: number;
  readonly caller: number;
}

export interface OutboxLimits {
  /** Services whose newest report is kept. */
  readonly maxServices: number;
  /** Bytes of all reports that are kept. */
  readonly maxBytes: number;
}

/** Plain counts. At every moment: reported = sent + superseded + dropped + waiting. */
export interface OutboxCounts {
  /** Reports that were given to the agent. */
  readonly reported: number;
  /** Reports that the operating system has taken; each counts once. */
  readonly sent: number;
  /** Reports that were sent once more, on a connection made anew. Not in the sum. */
  readonly resent: number;
  /** Reports that a newer one of their service replaced before they were sent. */
  readonly superseded: number;
  /** Reports that were never sent: there was no room, or the agent was closed first. */
  readonly dropped: number;
  /** Services whose newest report was sent, and was forgotten for want of room: it is not sent again. */
  readonly forgotten: number;
  /** Reports that are yet to be sent, those that are being written included. */
  readonly waiting: number;
}

/** The newest report of one service, as bytes. */
interface Entry {
  readonly id: string;
  readonly key: ServiceKey;
  readonly bytes: Uint8Array;
  /** Whether it was never sent. */
  isNew: boolean;
  isBeingWritten: boolean;
}

/** Bytes that are being written. */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly entries: readonly Entry[];
}

/**
 * What an agent holds for a reporter: the newest report of each service, and nothing else. So what is sent anew after
 * a lost connection can never be older than what was sent before.
 *
 * Beyond the limits it makes room at the cost of who was reported longest ago: first of services whose report was sent,
 * then of those that wait.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #onDropped: (key: ServiceKey) => void;
  /** All, that reported longest ago first. */
  readonly #entries = new Map<string, Entry>();
  /** Those yet to be sent, that waiting longest first: a newer report takes the place of the older one. */
  readonly #waiting = new Map<string, Entry>();
  /** The others: sent, or being written; that sent longest ago first. */
  readonly #kept = new Map<string, Entry>();
  #bytes = 0;
  #writingNew = 0;
  #reported = 0;
  #sent = 0;
  #resent = 0;
  #superseded = 0;
  #dropped = 0;
  #forgotten = 0;

  /** `onDropped`: told of each report that is dropped. */
  constructor(limits: OutboxLimits, onDropped: (key: ServiceKey) => void = () => {}) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  get counts(): OutboxCounts {
    let waiting = this.#writingNew;
    for (const { isNew } of this.#waiting.values()) if (isNew) waiting++;
    return {
      reported: this.#reported,
      sent: this.#sent,
      resent: this.#resent,
      superseded: this.#superseded,
      dropped: this.#dropped,
      forgotten: this.#forgotten,
      waiting,
    };
  }

  /** Bytes of all reports that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Services whose newest report is kept. */
  get services(): number {
    return this.#entries.size;
  }

  /** Whether nothing is to be written. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Takes the newest report of a service; the bytes are the outbox's from then on. False when it was dropped. */
  put({ modid, cmdid, caller }: Report, bytes: Uint8Array): boolean {
    this.#reported++;
    const key = { modid: modid | 0, cmdid: cmdid | 0, caller: caller | 0 };
    const id = `${key.modid}/${key.cmdid}/${key.caller}`;
    const before = this.#entries.get(id);
    if (before && this.#waiting.has(id)) {
      if (before.isNew) this.#superseded++;
      this.#bytes -= before.bytes.length;
    } else if (before) {
      this.#forget(before);
    }
    const entry: Entry = { id, key, bytes, isNew: true, isBeingWritten: false };
    this.#bytes += bytes.length;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#waiting.set(id, entry);
    return this.#makeRoom(entry);
  }

  /** Takes what is to be written next, about `maxBytes` of it; undefined when nothing is. Must be settled. */
  take(maxBytes: number): Batch | undefined {
    if (this.isEmpty) return undefined;
    const entries: Entry[] = [];
    let length = 0;
    for (const entry of this.#waiting.values()) {
      if (entries.length > 0 && length + entry.bytes.length > maxBytes) break;
      entries.push(entry);
      length += entry.bytes.length;
    }
    for (const entry of entries) {
      this.#waiting.delete(entry.id);
      this.#kept.set(entry.id, entry);
      entry.isBeingWritten = true;
      if (entry.isNew) this.#writingNew++;
    }
    const bytes =
      entries.length === 1 ? entries[0]!.bytes : Buffer.concat(entries.map((entry) => entry.bytes));
    return { bytes, entries };
  }

  /** A batch was written, or not. */
  settle({ entries }: Batch, isWritten: boolean): void {
    for (const entry of entries) {
      entry.isBeingWritten = false;
      if (entry.isNew) this.#writingNew--;
      const newest = this.#entries.get(entry.id);
      if (isWritten) this.#wasWritten(entry, newest);
      else if (newest === entry) this.#wait(entry);
      else if (newest && entry.isNew) this.#superseded++;
      else if (!newest) this.#lose(entry);
    }
  }

  /** The connection is another one: what was sent on those before may not have been read. */
  sendAgain(): void {
    for (const entry of [...this.#kept.values()]) this.#wait(entry);
  }

  /** Nothing is sent any more: what waits is dropped. No batch may be under way. */
  clear(): void {
    for (const entry of this.#waiting.values()) if (entry.isNew) this.#drop(entry);
    for (const map of [this.#entries, this.#waiting, this.#kept]) map.clear();
    this.#bytes = 0;
  }

  #wait(entry: Entry): void {
    this.#kept.delete(entry.id);
    this.#waiting.set(entry.id, entry);
  }

  /** False when the newest itself had to go. */
  #makeRoom(newest: Entry): boolean {
    const { maxServices, maxBytes } = this.#limits;
    while (this.#entries.size > maxServices || this.#bytes > maxBytes) {
      // What can never fit is not worth the place of others.
      const oldest = newest.bytes.length > maxBytes ? newest : (first(this.#kept) ?? first(this.#entries)!);
      this.#forget(oldest);
      // What becomes of one that is being written is known later.
      if (!oldest.isBeingWritten) this.#lose(oldest);
    }
    return this.#entries.get(newest.id) === newest;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#waiting.delete(entry.id);
    this.#kept.delete(entry.id);
    this.#bytes -= entry.bytes.length;
  }

  #wasWritten(entry: Entry, newest: Entry | undefined): void {
    if (entry.isNew) this.#sent++;
    else this.#resent++;
    entry.isNew = false;
    if (!newest) this.#forgotten++;
  }

  /** There was no room for it. */
  #lose(entry: Entry): void {
    if (entry.isNew) this.#drop(entry);
    else this.#forgotten++;
  }

  #drop({ key }: Entry): void {
    this.#dropped++;
    this.#onDropped(key);
  }
}

function first(map: ReadonlyMap<string, Entry>): Entry | undefined {
  for (const entry of map.values()) return entry;
  return undefined;
}
