import type { ChangeKind } from './shapes.js';

/** Something that happened, in seconds of the view. */
export interface ChangeRecord {
  readonly id: number;
  readonly at: number;
  readonly kind: ChangeKind;
  readonly modid: number | null;
  readonly cmdid: number | null;
  readonly ip: number | null;
  readonly port: number | null;
  /** Address of a voice. */
  readonly caller: number | null;
  readonly incident: number | null;
  text: string;
}

export type ChangeFields = Partial<Omit<ChangeRecord, 'id' | 'at' | 'kind' | 'text'>>;

const MAX_CHANGES = 10_000;
/** Changes of one minute that are kept each; further ones are counted. */
const MAX_A_MINUTE = 200;
const MINUTE_S = 60;

/** What happened, bounded: the last 10,000 changes, and no more than 200 of one minute. */
export class Changes {
  #list: ChangeRecord[] = [];
  #nextId = 1;
  #minute = -1;
  #inMinute = 0;
  #more: ChangeRecord | undefined;

  add(at: number, kind: ChangeKind, text: string, fields: ChangeFields = {}): void {
    const minute = Math.floor(at / MINUTE_S);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#inMinute = 0;
      this.#more = undefined;
    }
    this.#inMinute++;
    if (this.#inMinute <= MAX_A_MINUTE) this.#push(at, kind, text, fields);
    else if (this.#more) this.#more.text = moreText(this.#inMinute - MAX_A_MINUTE);
    else this.#more = this.#push(at, 'more', moreText(1), {});
  }

  #push(at: number, kind: ChangeKind, text: string, fields: ChangeFields): ChangeRecord {
    const { modid = null, cmdid = null, ip = null, port = null, caller = null, incident = null } = fields;
    const change = { id: this.#nextId++, at, kind, modid, cmdid, ip, port, caller, incident, text };
    this.#list.push(change);
    if (this.#list.length >= MAX_CHANGES * 2) this.#list = this.#list.slice(-MAX_CHANGES);
    return change;
  }

  /** Ids from now on are this one or later. */
  idsFrom(id: number): void {
    this.#nextId = Math.max(this.#nextId, id);
  }

  /** Remembers what happened to a process before, oldest first. */
  remember(changes: readonly ChangeRecord[]): void {
    this.#list = [...changes, ...this.#list].slice(-MAX_CHANGES);
  }

  /** What says how many more there were in this minute, while there are any. Its text changes. */
  get more(): ChangeRecord | undefined {
    return this.#more;
  }

  /** Oldest first. */
  all(): readonly ChangeRecord[] {
    return this.#list.length > MAX_CHANGES ? this.#list.slice(-MAX_CHANGES) : this.#list;
  }

  /** Id of the newest; 0 when there is none. */
  get newestId(): number {
    return this.#list.at(-1)?.id ?? 0;
  }

  /** Those after the one with this id, oldest first. */
  after(id: number): readonly ChangeRecord[] {
    let from = this.#list.length;
    while (from > 0 && this.#list[from - 1]!.id > id) from--;
    return this.#list.slice(from);
  }
}

function moreText(count: number): string {
  return count === 1 ? 'and 1 more in this minute' : `and ${count} more in this minute`;
}
