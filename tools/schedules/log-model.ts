import type {
  Base,
  Entry,
  LogAnswer,
  LogAsk,
  Piece,
  Placed,
  Sent,
  StoredRow,
} from '../../src/cluster/cluster-messages.js';
import { applyEntry, applyPiece, emptyFold, type Fold } from '../../src/cluster/fold.js';
import { expectThat } from './broken.js';

/** What all entries up to a sequence come to. */
export interface Truth {
  readonly received: number;
  readonly upserted: number;
  readonly coalesced: number;
  readonly deadLettered: number;
  readonly pending: number;
  /** How many entries that is. */
  readonly length: number;
}

/** What a new owner must come to. */
export interface Contents {
  readonly pending: readonly StoredRow[];
  readonly deadLetters: readonly StoredRow[];
  readonly senders: readonly Sent[];
}

/** One count for all logs and pieces, as a stream counts its messages. */
export interface Stream {
  sequence: number;
}

interface KeptPiece {
  readonly base: Base;
  readonly piece: Piece;
  readonly atMs: number;
}

const NOTHING: Truth = {
  ...{ received: 0, upserted: 0, coalesced: 0, deadLettered: 0, pending: 0, length: 0 },
};

const isBefore = (one: Base, other: Base) =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.number < other.number);

/**
 * The replicated log of one partition: appends are compare-and-set on the last sequence; reads may be late. Entries that
 * were removed are gone for who reads; `truth` knows them.
 */
export class LogModel {
  readonly #stream: Stream;
  readonly #entryRows: number;
  /** All that were ever appended. */
  readonly #placed: (Placed & { readonly atMs: number })[] = [];
  readonly #purges: { readonly atMs: number; readonly through: number; readonly base: Base }[] = [];
  readonly #pieces = new Map<string, KeptPiece>();
  readonly #fold = emptyFold();
  readonly #ids = new Map<number, { life: number; id: number }>();
  /** Of each key, what the log has last, unless its dead letter was dropped. */
  readonly values = new Map<number, number>();
  readonly dropped = new Set<number>();
  /** By sequence. */
  readonly truth = new Map<number, Truth>([[0, NOTHING]]);
  /** Where epochs begin. */
  readonly openings = new Map<number, Contents>();
  refusals = 0;
  snapshots = 0;

  /** `entryRows`: rows that an entry may speak of; a larger one is refused for ever. */
  constructor(stream: Stream, entryRows: number) {
    this.#stream = stream;
    this.#entryRows = entryRows;
  }

  get last(): Truth {
    return this.truth.get(this.#placed.at(-1)?.sequence ?? 0)!;
  }

  get deadLetters(): ReadonlyMap<number, StoredRow> {
    return this.#fold.deadLetters;
  }

  /** Entries that are not removed. */
  get length(): number {
    return this.#seen(Number.POSITIVE_INFINITY).length;
  }

  get pieces(): number {
    return this.#pieces.size;
  }

  /** All entries that were ever appended, with their times. */
  get history(): readonly (Placed & { readonly atMs: number })[] {
    return this.#placed;
  }

  /** The entry behind a sequence, removed or not. */
  next(sequence: number): Placed | undefined {
    return this.#placed[this.truth.get(sequence)!.length];
  }

  /** Whether entries behind a sequence were removed. */
  isPurgedBehind(sequence: number): boolean {
    return this.#purges.some(({ through }) => through > sequence);
  }

  /** `lateMs`: how old what a read shows may be. Reads show `most` entries at the most. */
  answer(ask: LogAsk, atMs: number, lateMs: number, most: number): LogAnswer {
    const { epoch } = ask;
    switch (ask.kind) {
      case 'append':
        return this.#append(ask.entry, ask.expected, epoch, atMs);
      case 'last':
        return { kind: 'last', epoch, last: this.#seen(atMs - lateMs).at(-1) };
      case 'read': {
        const { after } = ask;
        const behind = this.#seen(atMs - lateMs).filter(({ sequence }) => sequence > after);
        return { kind: 'entries', epoch, after, entries: behind.slice(0, most) };
      }
      case 'keep': {
        const { base, index, piece } = ask;
        this.#stream.sequence++;
        this.#pieces.set(nameOf(base, index), { base, piece, atMs });
        return { kind: 'kept', epoch, base, index };
      }
      case 'piece': {
        const { base, index } = ask;
        const found = this.#pieces.get(nameOf(base, index));
        const piece = found && found.atMs <= atMs - lateMs ? found.piece : undefined;
        return { kind: 'piece', epoch, base, index, piece };
      }
      case 'purge': {
        const { base } = ask;
        this.#purges.push({ atMs, through: base.sequence, base });
        for (const [name, one] of this.#pieces) if (isBefore(one.base, base)) this.#pieces.delete(name);
        return { kind: 'purged', epoch, base };
      }
    }
  }

  /** What a read shows that is as old as that. */
  #seen(untilMs: number): Placed[] {
    let through = 0;
    for (const purge of this.#purges) if (purge.atMs <= untilMs) through = Math.max(through, purge.through);
    const first = this.truth.get(through)!.length;
    let end = this.#placed.length;
    while (end > first && this.#placed[end - 1]!.atMs > untilMs) end--;
    return this.#placed.slice(first, end);
  }

  #append(entry: Entry, expected: number, epoch: number, atMs: number): LogAnswer {
    const { batch, confirmed, refused, replayed, released, base } = entry;
    const rows =
      (batch?.rows.length ?? 0) + confirmed.length + refused.length + replayed.length + released.length;
    expectThat(rows <= this.#entryRows, () => `an entry of ${rows} rows is too large for the log`);
    // A log whose entries are all removed has 0 as its last sequence again.
    if (expected !== (this.#seen(Number.POSITIVE_INFINITY).at(-1)?.sequence ?? 0)) {
      this.refusals++;
      return { kind: 'refused', epoch, expected };
    }
    const before = this.#placed.at(-1);
    const placed = { sequence: ++this.#stream.sequence, behind: expected, entry, atMs };
    if (batch) this.#check(batch);
    this.#placed.push(placed);
    for (const key of released) if (!this.#fold.pending.has(key)) this.dropped.add(key);
    applyEntry(this.#fold, placed);
    const { received, upserted, coalesced, deadLettered, pending } = this.#fold;
    const counts = { received, upserted, coalesced, deadLettered, pending: pending.size };
    this.truth.set(placed.sequence, { ...counts, length: this.#placed.length });
    if (before?.entry.epoch !== entry.epoch) this.openings.set(placed.sequence, contentsOf(this.#fold));
    if (before && before.entry.base !== base) this.#checkSnapshot(base);
    return { kind: 'appended', epoch, expected, sequence: placed.sequence };
  }

  /** Who reads the snapshot that is published now, and what stands behind it, comes to what the log says. */
  #checkSnapshot(base: Base): void {
    this.snapshots++;
    const fold = emptyFold();
    for (let index = 0; index < base.pieces; index++) {
      const kept = this.#pieces.get(nameOf(base, index));
      expectThat(kept !== undefined, () => `a snapshot is published, and its piece ${index} is not kept`);
      applyPiece(fold, kept!.piece);
    }
    for (const placed of this.#placed.slice(this.truth.get(base.sequence)!.length)) applyEntry(fold, placed);
    const [read, there] = [fold, this.#fold].map((one) => JSON.stringify(contentsOf(one)));
    expectThat(read === there, () => `a snapshot comes to ${read}, the log to ${there}`);
  }

  /** Batches of a sender follow each other without a gap, each once; the values of a key rise. */
  #check({ sender, id, rows }: Entry['batch'] & object): void {
    const last = this.#ids.get(sender.node);
    const next = last?.life === sender.life ? last.id + 1 : 1;
    const isNewer = last === undefined || sender.life >= last.life;
    expectThat(isNewer && id === next, () => {
      const known = last ? `${sender.node}.${last.life} batch ${last.id}` : 'nothing';
      return `batch ${id} of ${sender.node}.${sender.life} is journaled after ${known}`;
    });
    this.#ids.set(sender.node, { life: sender.life, id });
    for (const { key, value } of rows) {
      const before = this.values.get(key) ?? 0;
      expectThat(value > before, () => `the log steps back: key ${key} from ${before} to ${value}`);
      this.values.set(key, value);
      this.dropped.delete(key);
    }
  }

  has(node: number, life: number, id: number): boolean {
    const last = this.#ids.get(node);
    if (last === undefined) return false;
    if (last.life === life) return last.id >= id;
    return this.#placed.some(
      ({ entry: { batch } }) => batch?.id === id && batch.sender.node === node && batch.sender.life === life,
    );
  }
}

export function contentsOf({ pending, deadLetters, senders }: Fold): Contents {
  const byKey = (rows: ReadonlyMap<number, StoredRow>) =>
    [...rows.values()].sort((one, other) => one.key - other.key);
  const byNode = [...senders.values()].sort((one, other) => one.node - other.node);
  return { pending: byKey(pending), deadLetters: byKey(deadLetters), senders: byNode };
}

function nameOf({ epoch, number }: Base, index: number): string {
  return `${epoch}.${number}.${index}`;
}
