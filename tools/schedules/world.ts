import type { Input } from '../../src/cluster/cluster-messages.js';
import type { Dice } from '../../src/testing/dice.js';
import { Broken } from './broken.js';
import { BucketModel } from './bucket-model.js';
import { checkEnd, isSettled, type Parts } from './checks.js';
import { LogModel } from './log-model.js';
import { Network } from './message-network.js';
import { type Around, Process } from './node-process.js';
import type { Fault, Plan, Target } from './plan.js';
import { StoreModel } from './store-model.js';

const KEYS_OF_PROCESS = 3;
const TICK_MS = 250;
/** Everything must be settled so long after the last fault. */
const SETTLING_MS = 30_000;
/** The store refuses one of so many values, while it refuses any. */
const REFUSED = 4;

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
  deadLetters: number;
  /** Processes that did not join, because another one of their node ran. */
  inUse: number;
}

/** Processes, a network, a log, a bucket and a store. */
export class World implements Around {
  readonly plan: Plan;
  readonly dice: Dice;
  readonly network: Network;
  readonly parts: Parts;
  readonly #processes: readonly Process[];
  readonly #lastRead = new Map<number, number>();
  #values = 0;
  #isStill = false;
  #ambushMs = 0;

  constructor(plan: Plan, dice: Dice) {
    this.plan = plan;
    this.dice = dice;
    this.network = new Network(plan.rates, dice);
    const ofPartitions = <T>(make: () => T) => Array.from({ length: plan.partitions }, make);
    const stream = { sequence: 0 };
    const { batchRows, noteRows } = plan.limits;
    const refuses = (value: number) => value % REFUSED === 0 && this.network.now < plan.repairedAtMs;
    this.parts = {
      logs: ofPartitions(() => new LogModel(stream, batchRows + noteRows)),
      stores: ofPartitions(() => new StoreModel(refuses)),
      bucket: new BucketModel(plan.nodes, plan.partitions),
    };
    // The last one is a second process of a node.
    this.#processes = plan.clocks.map((_, index) => {
      const node = index < plan.nodes ? index : plan.twin.node;
      return new Process(node, index, this);
    });
  }

  /** Throws Broken. */
  run(): void {
    const { plan, network } = this;
    for (const one of this.#processes) {
      if (one.index < plan.nodes) one.start();
      this.#tickOften(one);
      this.#readOften(one);
    }
    this.#orderOften();
    for (const { atMs, fault } of plan.faults) network.at(atMs, () => this.#strike(fault));
    network.at(plan.calmAtMs, () => this.#calm());
    this.#runUntil(() => network.now > plan.calmAtMs && this.#isSettled());
    // What is still on its way from before comes now, and no clock ticks meanwhile. It may be news: that is settled, too.
    this.#isStill = true;
    this.#runUntil(() => network.isEmpty);
    this.#isStill = false;
    for (const one of this.#processes) this.#tickOften(one);
    this.#runUntil(() => this.#isSettled());
    checkEnd(this.parts, this.#lastRead, plan.limits);
  }

  #runUntil(isDone: () => boolean): void {
    const { network } = this;
    let nextLook = 0;
    for (;;) {
      if (network.now >= nextLook || network.isEmpty) {
        if (isDone()) return;
        nextLook = this.#isStill ? Number.POSITIVE_INFINITY : network.now + TICK_MS;
      }
      network.next();
      if (network.now > this.plan.calmAtMs + SETTLING_MS) throw new Broken('nothing settles any more');
    }
  }

  #isSettled(): boolean {
    const nodes = this.#processes.filter(({ index }) => index < this.plan.nodes);
    const members = nodes.flatMap(({ member }) => member ?? []);
    return members.length === nodes.length && isSettled(members, this.parts);
  }

  #tickOften(one: Process): void {
    if (this.#isStill) return;
    one.give({ from: 'clock' });
    this.network.after(this.dice.between(TICK_MS - 50, TICK_MS + 50), () => this.#tickOften(one));
  }

  /** Agents of a process report some of its keys. */
  #readOften(one: Process): void {
    const { dice, network, plan } = this;
    if (network.now >= plan.calmAtMs) return;
    if (one.isRunning) {
      const partition = dice.below(plan.partitions);
      const first = dice.below(KEYS_OF_PROCESS);
      const rows = Array.from({ length: dice.between(1, 2) }, (_, index) => ({
        key: this.#keyOf(one, (first + index) % KEYS_OF_PROCESS, partition),
        value: ++this.#values,
      }));
      for (const { key, value } of rows) this.#lastRead.set(key, value);
      one.give({ from: 'agents', partition, rows });
    }
    network.after(dice.between(50, 700), () => this.#readOften(one));
  }

  #keyOf({ index }: Process, number: number, partition: number): number {
    return (number * this.#processes.length + index) * this.plan.partitions + partition;
  }

  /** Somebody tries dead letters again, or forgets them. */
  #orderOften(): void {
    const { dice, network, plan, parts } = this;
    if (network.now >= plan.calmAtMs) return;
    const partition = dice.below(plan.partitions);
    const kind = dice.chance(1, 8) ? 'drop' : 'replay';
    for (const key of parts.logs[partition]!.deadLetters.keys())
      this.#ownerOf(partition).give({ from: 'operator', partition, order: { kind, key } });
    network.after(dice.between(50, 1200), () => this.#orderOften());
  }

  #ownerOf(partition: number): Process {
    const node = this.parts.bucket.now.owners[partition]!.owner?.node ?? 0;
    const ofNode = this.#processes.filter((one) => one.node === node);
    return ofNode.find((one) => one.owns(partition)) ?? ofNode[0]!;
  }

  toNode(node: number, input: Input): void {
    const up = this.#processes.filter((one) => one.node === node && one.member);
    if (up.length > 0) this.dice.pick(up).give(input);
  }

  hadTwin(of: Process, sinceMs: number): boolean {
    return this.#processes.some(
      (one) => one !== of && one.node === of.node && (one.isUp || one.endedMs >= sinceMs),
    );
  }

  takesOver(process: Process): void {
    if (this.network.now < this.plan.calmAtMs && this.#ambushMs > 0) process.pause(this.#ambushMs);
    this.#ambushMs = 0;
  }

  /** What it had read and not journaled is lost. */
  ended(of: Process): void {
    for (let partition = 0; partition < this.plan.partitions; partition++)
      for (let number = 0; number < KEYS_OF_PROCESS; number++)
        this.#lastRead.delete(this.#keyOf(of, number, partition));
    const { name } = of;
    if (of.index < this.plan.nodes) this.network.after(this.dice.between(50, 2500), () => of.start());
    // Whether the server notices.
    if (this.dice.chance(1, 2)) this.network.after(this.dice.between(1, 3000), () => this.#endSessions(name));
  }

  #strike(fault: Fault): void {
    const { network, plan, parts } = this;
    if (fault.kind === 'outage' || fault.kind === 'unwritable') {
      const until = Math.min(network.now + fault.forMs, plan.calmAtMs);
      parts.bucket.away(network.now, until);
      network.away(fault.kind, until);
    } else if (fault.kind === 'twin') {
      const twin = this.#processes.at(-1)!;
      twin.start();
      network.after(fault.forMs, () => twin.end());
    } else if (fault.kind === 'ambush') this.#ambushMs = fault.forMs;
    else this.#strikeOne(fault);
  }

  #strikeOne(fault: Fault & { readonly of: Target }): void {
    const { network, plan } = this;
    const { of } = fault;
    const one = 'node' in of ? this.#processes[of.node]! : this.#ownerOf(of.ownerOf);
    const { name } = one;
    if (!one.isUp) return;
    switch (fault.kind) {
      case 'pause':
        one.pause(fault.forMs);
        break;
      case 'stall':
        this.#endSessions(name);
        network.after(fault.afterMs, () => {
          if (one.name === name && network.now < plan.calmAtMs) one.pause(fault.forMs);
        });
        break;
      case 'kill':
        one.end();
        break;
      case 'disconnect':
        this.#endSessions(name);
        break;
      case 'give-up':
        one.give({ from: 'operator', partition: fault.partition, order: { kind: 'give-up' } });
        break;
    }
  }

  #endSessions(process: string): void {
    for (const store of this.parts.stores) store.endSessions(process);
  }

  #calm(): void {
    this.network.calm();
    for (const one of this.#processes) {
      if (one.index === this.plan.nodes) one.end();
      else one.start();
      one.resume();
    }
  }

  get happened(): Happened {
    const { logs, stores, bucket } = this.parts;
    const sum = <T>(list: readonly T[], of: (one: T) => number) =>
      list.reduce((total, one) => total + of(one), 0);
    return {
      events: this.network.events,
      epochs: sum(bucket.now.owners, ({ epoch }) => epoch),
      takeovers: sum(this.#processes, ({ takeovers }) => takeovers),
      kills: sum(stores, ({ kills }) => kills),
      fenced: sum(stores, ({ fenced }) => fenced),
      refusals: sum(logs, ({ refusals }) => refusals),
      entries: sum(logs, ({ last }) => last.length),
      handOvers: sum(this.#processes, ({ handOvers }) => handOvers),
      snapshots: sum(logs, ({ snapshots }) => snapshots),
      deadLetters: sum(logs, ({ last }) => last.deadLettered),
      inUse: sum(this.#processes, ({ refusals }) => refusals),
    };
  }
}
