import type { Session, StoreAnswer, StoreAsk, StoredRow } from '../../src/cluster/cluster-messages.js';
import { expectThat } from './broken.js';

const idOf = ({ epoch, count }: Session) => epoch * 10_000 + count;

/** The store, for one partition: rows, sessions, a named lock and a fence row. */
export class StoreModel {
  readonly rows = new Map<number, StoredRow>();
  readonly #ended = new Set<number>();
  /** Sessions that are not ended, by the process that has them. */
  readonly #sessions = new Map<number, { readonly session: Session; readonly process: string }>();
  #holder: Session | undefined;
  #fenceRow = { epoch: 0, count: 0 };
  readonly #refuses: (value: number) => boolean;
  kills = 0;
  fenced = 0;
  refused = 0;

  /** `refuses`: values that are not taken, at the moment. */
  constructor(refuses: (value: number) => boolean) {
    this.#refuses = refuses;
  }

  /** Undefined: there is nothing to say. */
  answer(ask: StoreAsk, process: string): StoreAnswer | undefined {
    if (ask.kind === 'raise') {
      if (ask.epoch > this.#fenceRow.epoch) this.#fenceRow = { epoch: ask.epoch, count: 0 };
      return { kind: 'raised', ...this.#fenceRow };
    }
    const { session } = ask;
    if (ask.kind === 'close') {
      this.#end(session);
      return undefined;
    }
    if (ask.kind === 'kill') {
      this.kills++;
      this.#end(ask.victim);
      return undefined;
    }
    if (this.#ended.has(idOf(session))) return { kind: 'ended', session };
    this.#sessions.set(idOf(session), { session, process });
    if (ask.kind === 'write') return this.#write(ask);
    this.#holder ??= session;
    const holder = this.#holder;
    return idOf(holder) === idOf(session) ? { kind: 'locked', session } : { kind: 'held', session, holder };
  }

  #write({ session, count, number, rows }: StoreAsk & { readonly kind: 'write' }): StoreAnswer {
    const { epoch } = this.#fenceRow;
    if (count !== undefined && (session.epoch !== epoch || count !== this.#fenceRow.count)) {
      this.fenced++;
      return { kind: 'fenced', session, number, ...this.#fenceRow };
    }
    if (count !== undefined) this.#fenceRow = { epoch, count: count + 1 };
    const refused: number[] = [];
    for (const row of rows) {
      if (this.#refuses(row.value)) {
        refused.push(row.key);
        continue;
      }
      const before = this.rows.get(row.key) ?? { sequence: 0, value: 0 };
      expectThat(
        row.sequence >= before.sequence && row.value >= before.value,
        () => `the store steps back: from ${JSON.stringify(before)} to ${JSON.stringify(row)}`,
      );
      this.rows.set(row.key, row);
    }
    this.refused += refused.length;
    return { kind: 'written', session, number, refused };
  }

  /** The server finds that a connection is no more. */
  endSessions(process: string): void {
    for (const one of this.#sessions.values()) if (one.process === process) this.#end(one.session);
  }

  #end(session: Session): void {
    this.#ended.add(idOf(session));
    this.#sessions.delete(idOf(session));
    if (this.#holder && idOf(this.#holder) === idOf(session)) this.#holder = undefined;
  }
}
