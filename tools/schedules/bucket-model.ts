import type {
  BucketAnswer,
  BucketAsk,
  LeaseRecord,
  OwnerRecord,
} from '../../src/cluster/cluster-messages.js';

interface State {
  readonly atMs: number;
  readonly leases: readonly LeaseRecord[];
  readonly owners: readonly OwnerRecord[];
}

/** The bucket of leases and owners: writes are compare-and-set on revisions; reads may be late. */
export class BucketModel {
  readonly #states: State[];
  readonly #writtenMs = new Map<number, number>();
  /** Of each node: the revisions of its lease. */
  readonly #revisions: number[][];
  readonly #outages: { readonly fromMs: number; readonly untilMs: number }[] = [];
  #revision = 0;

  constructor(nodes: number, partitions: number) {
    const leases = Array.from({ length: nodes }, () => ({ life: 0, revision: 0 }));
    const owners = Array.from({ length: partitions }, () => ({ owner: undefined, epoch: 0, revision: 0 }));
    this.#states = [{ atMs: Number.NEGATIVE_INFINITY, leases, owners }];
    this.#revisions = leases.map(() => [0]);
  }

  get now(): State {
    return this.#states.at(-1)!;
  }

  answer(ask: BucketAsk, node: number, atMs: number, lateMs: number): BucketAnswer {
    const { leases, owners } = this.now;
    switch (ask.kind) {
      case 'look': {
        let index = this.#states.length - 1;
        while (this.#states[index]!.atMs > atMs - lateMs) index--;
        const state = this.#states[index]!;
        return { kind: 'seen', number: ask.number, leases: state.leases, owners: state.owners };
      }
      case 'renew': {
        const isTaken = leases[node]!.revision === ask.revision;
        if (isTaken) {
          const record = { ...ask.value, revision: this.#next(atMs) };
          this.#revisions[node]!.push(record.revision);
          this.#states.push({ atMs, leases: leases.with(node, record), owners });
        }
        return { kind: 'renewed', expected: ask.revision, isTaken, record: this.now.leases[node]! };
      }
      case 'claim': {
        const { partition, epoch, owner } = ask;
        const isDone = owners[partition]!.revision === ask.revision;
        if (isDone) {
          const record = { owner, epoch, revision: this.#next(atMs) };
          this.#states.push({ atMs, leases, owners: owners.with(partition, record) });
        }
        return { kind: 'claimed', partition, epoch, revision: isDone ? this.#revision : undefined };
      }
    }
  }

  #next(atMs: number): number {
    this.#writtenMs.set(++this.#revision, atMs);
    return this.#revision;
  }

  revisionBefore(node: number, revision: number): number {
    return this.#revisions[node]!.findLast((one) => one < revision) ?? 0;
  }

  /** How long the lease of a node stood at a revision, until it moved, or until now. */
  stoodMs(node: number, revision: number, nowMs: number): number {
    const next = this.#revisions[node]!.find((one) => one > revision);
    const until = next === undefined ? nowMs : this.#writtenMs.get(next)!;
    return until - (this.#writtenMs.get(revision) ?? 0);
  }

  /** Nobody can renew, because the bucket cannot be read or cannot be written. */
  away(fromMs: number, untilMs: number): void {
    this.#outages.push({ fromMs, untilMs });
  }

  /** Of the time until now in which the lease stood at a revision: what comes behind the last outage of `leastMs`. */
  countedMs(node: number, revision: number, nowMs: number, leastMs: number): number {
    const stoodMs = this.stoodMs(node, revision, nowMs);
    const movedMs = this.#writtenMs.get(revision) ?? 0;
    const ends = this.#outages
      .map(({ fromMs, untilMs }) => ({ from: Math.max(fromMs, movedMs), until: Math.min(untilMs, nowMs) }))
      .filter(({ from, until }) => until - from >= leastMs)
      .map(({ until }) => until);
    return Math.min(stoodMs, nowMs - Math.max(movedMs, ...ends));
  }

  /** How long ago the lease of a node was renewed. */
  unmovedMs(node: number, nowMs: number): number {
    return nowMs - (this.#writtenMs.get(this.#revisions[node]!.at(-1)!) ?? Number.NEGATIVE_INFINITY);
  }
}
