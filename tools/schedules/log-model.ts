import type { Batch, Entry, LogAnswer, LogAsk } from '../../src/cluster/cluster-messages.js';
import { applyEntry, emptyFold } from '../../src/cluster/fold.js';
import { expectThat } from './broken.js';

/** What all entries up to a sequence come to. */
export interface Truth {
  readonly received: number;
  readonly upserted: number;
  readonly coalesced: number;
  readonly pending: number;
}

/** The replicated log of one partition: appends are compare-and-set on the last sequence; reads may be late. */
export class LogModel {
  readonly entries: Entry[] = [];
  readonly #times: number[] = [];
  readonly #fold = emptyFold();
  readonly #ids = new Map<number, { life: number; id: number }>();
  /** Of each key, what the log has last. */
  readonly values = new Map<number, number>();
  /** By sequence. */
  readonly truth: Truth[] = [{ received: 0, upserted: 0, coalesced: 0, pending: 0 }];
  refusals = 0;

  /** `lateMs`: how old what a read shows may be. Reads show `most` entries at the most. */
  answer(ask: LogAsk, atMs: number, lateMs: number, most: number): LogAnswer {
    const { epoch } = ask;
    if (ask.kind === 'append') return this.#append(ask.entry, ask.expected, epoch, atMs);
    let sequence = this.entries.length;
    while (sequence > 0 && this.#times[sequence - 1]! > atMs - lateMs) sequence--;
    if (ask.kind === 'last')
      return { kind: 'last', epoch, sequence, lastEpoch: this.entries[sequence - 1]?.epoch ?? 0 };
    const entries = this.entries.slice(ask.from - 1, Math.min(sequence, ask.from - 1 + most));
    return { kind: 'entries', epoch, from: ask.from, entries };
  }

  #append(entry: Entry, expected: number, epoch: number, atMs: number): LogAnswer {
    if (expected !== this.entries.length) {
      this.refusals++;
      return { kind: 'refused', epoch, expected };
    }
    this.entries.push(entry);
    this.#times.push(atMs);
    if (entry.batch) this.#check(entry.batch);
    applyEntry(this.#fold, entry);
    const { received, upserted, coalesced, pending } = this.#fold;
    this.truth.push({ received, upserted, coalesced, pending: pending.size });
    return { kind: 'appended', epoch, expected };
  }

  /** Batches of a sender follow each other without a gap, each once; the values of a key rise. */
  #check({ sender, id, rows }: Batch): void {
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
    }
  }

  has(node: number, life: number, id: number): boolean {
    const last = this.#ids.get(node);
    if (last === undefined) return false;
    if (last.life === life) return last.id >= id;
    return this.entries.some(
      ({ batch }) => batch?.id === id && batch.sender.node === node && batch.sender.life === life,
    );
  }
}
