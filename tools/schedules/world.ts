import type { Effect, Input } from '../../src/cluster/cluster-messages.js';
import { type Member, newMember, step } from '../../src/cluster/member.js';
import type { Owner } from '../../src/cluster/owner-state.js';
import type { Dice } from '../../src/testing/dice.js';
import { Broken, expectThat } from './broken.js';
import { BucketModel } from './bucket-model.js';
import {
  type Before,
  before,
  checkEffect,
  checkEnd,
  checkOwner,
  hasChanged,
  isOfEarlierEpoch,
  isSettled,
  type Parts,
  stateOf,
} from './checks.js';
import { EventQueue } from './event-queue.js';
import { LogModel } from './log-model.js';
import { CALM, type Fault, MAX_DELAY_MS, MAX_LATE_READ_MS, type Plan, type Rates } from './plan.js';
import { StoreModel } from './store-model.js';

const KEYS_OF_NODE = 3;
const TICK_MS = 250;
/** The store refuses one of so many values, while it refuses any. */
const REFUSED = 4;
/** Everything must be settled so long after the last fault. */
const SETTLING_MS = 30_000;

interface Node {
  readonly index: number;
  life: number;
  member: Member | undefined;
  /** Paused: what comes is held. */
  held: (() => void)[] | undefined;
  /** Of each owner, as it was when it was last checked. */
  were: Before[];
}

/** How often what happened, to show that schedules try what they are meant to try. */
export interface Happened {
  events: number;
  epochs: number;
  takeovers: number;
  kills: number;
  fenced: number;
  refusals: number;
  entries: number;
  handOvers: number;
  snapshots: number;
  refused: number;
}

/** Nodes, a network, a log, a bucket and a store; a seed decides what happens to each message. */
export class World implements Parts {
  readonly logs: readonly LogModel[];
  readonly stores: readonly StoreModel[];
  readonly bucket: BucketModel;
  readonly #dice: Dice;
  readonly #plan: Plan;
  readonly #queue = new EventQueue<() => void>();
  readonly #nodes: readonly Node[];
  readonly #lastRead = new Map<number, number>();
  #rates: Rates;
  #now = 0;
  #values = 0;
  #outageUntil = 0;
  #unwritableUntil = 0;
  #isStill = false;
  readonly happened: Happened;

  constructor(plan: Plan, dice: Dice) {
    this.#dice = dice;
    this.#plan = plan;
    this.#rates = plan.rates;
    const ofPartitions = <T>(make: () => T) => Array.from({ length: plan.partitions }, make);
    const stream = { sequence: 0 };
    const { batchRows, noteRows } = plan.limits;
    this.logs = ofPartitions(() => new LogModel(stream, batchRows + noteRows));
    const refuses = (value: number) => value % REFUSED === 0 && this.#now < plan.repairedAtMs;
    this.stores = ofPartitions(() => new StoreModel(refuses));
    this.bucket = new BucketModel(plan.nodes, plan.partitions);
    this.#nodes = plan.clocks.map((_, index) => ({
      index,
      life: 0,
      member: undefined,
      held: undefined,
      were: [],
    }));
    this.happened = {
      ...{ events: 0, epochs: 0, takeovers: 0, kills: 0, fenced: 0, refusals: 0, entries: 0, handOvers: 0 },
      ...{ snapshots: 0, refused: 0 },
    };
  }

  /** Throws Broken. */
  run(): void {
    for (const node of this.#nodes) {
      this.#start(node);
      this.#tickOften(node);
      this.#readOften(node);
    }
    this.#orderOften();
    for (const { atMs, fault } of this.#plan.faults) this.#queue.put(atMs, () => this.#strike(fault));
    this.#queue.put(this.#plan.calmAtMs, () => this.#calm());
    this.#runUntil(() => this.#now > this.#plan.calmAtMs && this.#isSettled());
    // What is still on its way from before comes now, and no clock ticks meanwhile. It may be news: that is settled, too.
    this.#isStill = true;
    this.#runUntil(() => this.#queue.size === 0);
    this.#isStill = false;
    for (const node of this.#nodes) this.#tickOften(node);
    this.#runUntil(() => this.#isSettled());
    checkEnd(this, this.#lastRead, this.#plan.limits);
    this.#count();
  }

  #runUntil(isDone: () => boolean): void {
    let nextLook = 0;
    for (;;) {
      if (this.#now >= nextLook || this.#queue.size === 0) {
        if (isDone()) return;
        nextLook = this.#isStill ? Number.POSITIVE_INFINITY : this.#now + TICK_MS;
      }
      const next = this.#queue.take();
      if (next === undefined) continue;
      this.#now = next.at;
      this.happened.events++;
      next.event();
      if (this.#now > this.#plan.calmAtMs + SETTLING_MS) throw new Broken('nothing settles any more');
    }
  }

  #isSettled(): boolean {
    return isSettled(
      this.#nodes.flatMap(({ member }) => member ?? []),
      this,
    );
  }

  #tickOften(node: Node): void {
    if (this.#isStill) return;
    this.#give(node, node.life, { from: 'clock' });
    this.#queue.put(this.#now + this.#dice.between(TICK_MS - 50, TICK_MS + 50), () => this.#tickOften(node));
  }

  /** Agents of a node report some of its keys. */
  #readOften(node: Node): void {
    if (this.#now >= this.#plan.calmAtMs) return;
    const { nodes, partitions } = this.#plan;
    if (node.member && !node.held) {
      const partition = this.#dice.below(partitions);
      const first = this.#dice.below(KEYS_OF_NODE);
      const rows = Array.from({ length: this.#dice.between(1, 2) }, (_, index) => ({
        key: (((first + index) % KEYS_OF_NODE) * nodes + node.index) * partitions + partition,
        value: ++this.#values,
      }));
      for (const { key, value } of rows) this.#lastRead.set(key, value);
      this.#give(node, node.life, { from: 'agents', partition, rows });
    }
    this.#queue.put(this.#now + this.#dice.between(50, 700), () => this.#readOften(node));
  }

  /** Somebody tries dead letters again, or forgets them. */
  #orderOften(): void {
    if (this.#now >= this.#plan.calmAtMs) return;
    const partition = this.#dice.below(this.#plan.partitions);
    const node = this.#ownerOf(partition);
    const kind = this.#dice.chance(1, 8) ? 'drop' : 'replay';
    for (const key of this.logs[partition]!.deadLetters.keys())
      this.#give(node, node.life, { from: 'operator', partition, order: { kind, key } });
    this.#queue.put(this.#now + this.#dice.between(50, 1200), () => this.#orderOften());
  }

  #ownerOf(partition: number): Node {
    return this.#nodes[this.bucket.now.owners[partition]!.owner?.node ?? 0]!;
  }

  /** An input reaches a life of a node, now or when it goes on. */
  #give(node: Node, life: number, input: Input): void {
    if (node.life !== life || !node.member) return;
    if (node.held) {
      if (input.from !== 'clock') node.held.push(() => this.#give(node, life, input));
      return;
    }
    const { member } = node;
    const { rate, offsetMs } = this.#plan.clocks[node.index]!;
    const was = isOfEarlierEpoch(member, input) ? stateOf(member) : undefined;
    const effects = step(member, input, Math.floor(this.#now * rate) + offsetMs);
    expectThat(
      was === undefined || (was === stateOf(member) && effects.length === 0),
      () => `node ${node.index} takes an answer to an earlier epoch`,
    );
    for (const owner of member.owners) this.#check(node, owner);
    for (const effect of effects) {
      checkEffect(member, effect, this, this.#now);
      this.#carry(node, effect);
    }
  }

  #check({ were }: Node, owner: Owner): void {
    const was = were[owner.partition]!;
    if (!hasChanged(owner, was)) return;
    checkOwner(owner, was, this.logs[owner.partition]!);
    if (owner.phase === 'none' && was.phase === 'owning') this.happened.handOvers++;
    were[owner.partition] = before(owner);
  }

  #carry(node: Node, effect: Effect): void {
    const { life } = node;
    switch (effect.to) {
      case 'agents':
        break;
      case 'node': {
        const to = this.#nodes[effect.node]!;
        // It reaches whatever life of the node is there by then.
        this.#send(true, 0, () => this.#give(to, to.life, { from: 'node', message: effect.message }));
        break;
      }
      case 'log': {
        const { partition, ask } = effect;
        const isWrite = ask.kind === 'append' || ask.kind === 'keep' || ask.kind === 'purge';
        const atLeastMs = ask.kind === 'keep' ? this.#dice.below(this.#plan.pieceMs) : 0;
        this.#ask(isWrite, atLeastMs, () => {
          const answer = this.logs[partition]!.answer(
            ask,
            this.#now,
            this.#lateMs(),
            this.#dice.between(1, 8),
          );
          return () => this.#give(node, life, { from: 'log', partition, answer });
        });
        break;
      }
      case 'bucket': {
        const { ask } = effect;
        if (ask.kind === 'claim' && ask.lapsed) this.happened.takeovers++;
        this.#ask(ask.kind !== 'look', 0, () => {
          const answer = this.bucket.answer(ask, node.index, this.#now, this.#lateMs());
          return () => this.#give(node, life, { from: 'bucket', answer });
        });
        break;
      }
      case 'store': {
        const { partition, ask } = effect;
        const process = `${node.index}.${life}`;
        this.#send(false, 0, () => {
          const answer = this.stores[partition]!.answer(ask, process);
          if (answer)
            this.#send(false, 0, () => this.#give(node, life, { from: 'store', partition, answer }));
        });
        break;
      }
    }
  }

  /** Of log and bucket, which do not answer during an outage. */
  #ask(isWrite: boolean, atLeastMs: number, act: () => () => void): void {
    this.#send(true, atLeastMs, () => {
      if (this.#now < this.#outageUntil || (isWrite && this.#now < this.#unwritableUntil)) return;
      const answer = act();
      this.#send(true, 0, answer);
    });
  }

  #send(mayDouble: boolean, atLeastMs: number, arrive: () => void): void {
    const { lost, doubled, delayed } = this.#rates;
    if (this.#dice.chance(lost, 1000)) return;
    const copies = mayDouble && this.#dice.chance(doubled, 1000) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = atLeastMs + this.#dice.between(1, this.#dice.chance(delayed, 1000) ? MAX_DELAY_MS : 20);
      this.#queue.put(this.#now + delay, arrive);
    }
  }

  #lateMs(): number {
    return this.#dice.chance(this.#rates.lateReads, 1000) ? this.#dice.between(1, MAX_LATE_READ_MS) : 0;
  }

  #strike(fault: Fault): void {
    if (fault.kind === 'outage' || fault.kind === 'unwritable') {
      const until = this.#now + fault.forMs;
      this.bucket.away(this.#now, Math.min(until, this.#plan.calmAtMs));
      if (fault.kind === 'outage') this.#outageUntil = Math.max(this.#outageUntil, until);
      else this.#unwritableUntil = Math.max(this.#unwritableUntil, until);
      return;
    }
    const { of } = fault;
    const node = 'node' in of ? this.#nodes[of.node]! : this.#ownerOf(of.ownerOf);
    const { life, index } = node;
    if (!node.member) return;
    switch (fault.kind) {
      case 'pause':
        this.#pause(node, life, fault.forMs);
        break;
      case 'stall':
        this.#endSessions(`${index}.${life}`);
        this.#queue.put(this.#now + fault.afterMs, () => this.#pause(node, life, fault.forMs));
        break;
      case 'kill':
        node.member = undefined;
        node.held = undefined;
        for (const key of this.#lastRead.keys())
          if (this.#nodeOf(key) === node.index) this.#lastRead.delete(key);
        if (this.#dice.chance(1, 2))
          this.#queue.put(this.#now + this.#dice.between(1, 3000), () =>
            this.#endSessions(`${node.index}.${life}`),
          );
        this.#queue.put(this.#now + fault.forMs, () => this.#start(node));
        break;
      case 'disconnect':
        this.#endSessions(`${node.index}.${life}`);
        break;
      case 'give-up':
        this.#give(node, life, {
          from: 'operator',
          partition: fault.partition,
          order: { kind: 'give-up' },
        });
        break;
    }
  }

  #pause(node: Node, life: number, forMs: number): void {
    if (node.life !== life || !node.member || this.#now >= this.#plan.calmAtMs) return;
    node.held ??= [];
    this.#queue.put(this.#now + forMs, () => this.#resume(node, life));
  }

  #nodeOf(key: number): number {
    return Math.floor(key / this.#plan.partitions) % this.#plan.nodes;
  }

  #endSessions(process: string): void {
    for (const store of this.stores) store.endSessions(process);
  }

  #start(node: Node): void {
    if (node.member) return;
    node.life++;
    const { nodes, partitions, fence, limits } = this.#plan;
    const sender = { node: node.index, life: node.life };
    node.member = newMember({ sender, nodes, partitions, fence, limits });
    node.were = node.member.owners.map(before);
  }

  #resume(node: Node, life: number): void {
    if (node.life !== life || !node.held) return;
    const { held } = node;
    node.held = undefined;
    // Whether it looks at the clock first is chance.
    if (this.#dice.chance(1, 2)) this.#give(node, life, { from: 'clock' });
    for (const event of held) event();
  }

  #calm(): void {
    this.#rates = CALM;
    this.#outageUntil = this.#now;
    this.#unwritableUntil = this.#now;
    for (const node of this.#nodes) {
      this.#start(node);
      this.#resume(node, node.life);
    }
  }

  #count(): void {
    const { happened, logs, stores, bucket } = this;
    for (const { epoch } of bucket.now.owners) happened.epochs += epoch;
    for (const { last, refusals, snapshots } of logs) {
      happened.entries += last.length;
      happened.refusals += refusals;
      happened.snapshots += snapshots;
    }
    for (const { kills, fenced, refused } of stores) {
      happened.kills += kills;
      happened.fenced += fenced;
      happened.refused += refused;
    }
  }
}
