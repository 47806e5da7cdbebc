import type { BucketAsk, Effect, Input } from '../../src/cluster/cluster-messages.js';
import { type Joining, join, newJoining } from '../../src/cluster/join.js';
import { type Member, newMember, step } from '../../src/cluster/member.js';
import type { Dice } from '../../src/testing/dice.js';
import { expectThat } from './broken.js';
import {
  type Before,
  before,
  checkEffect,
  checkJoined,
  checkOwner,
  hasChanged,
  isOfEarlierEpoch,
  type Parts,
  stateOf,
} from './checks.js';
import type { Network } from './message-network.js';
import type { Plan } from './plan.js';

/** Where processes run. */
export interface Around {
  readonly plan: Plan;
  readonly dice: Dice;
  readonly network: Network;
  readonly parts: Parts;
  /** To whatever process of the node is there when it arrives. */
  toNode(node: number, input: Input): void;
  /** Whether another process of its node ran at some time since then. */
  hadTwin(of: Process, sinceMs: number): boolean;
  /** It begins to read the log. */
  takesOver(process: Process): void;
  /** It is no more. */
  ended(of: Process): void;
}

/** A place for one process at a time: it joins, is a member, stands still, ends, and is started again. */
export class Process {
  /** Of the cluster. Two places of one node can be at odds. */
  readonly node: number;
  /** Of the place. */
  readonly index: number;
  readonly #around: Around;
  /** Answers reach the process that asked, and no later one. */
  #starts = 0;
  #joining: Joining | undefined;
  #joiningMs = 0;
  #member: Member | undefined;
  /** Stands still: what comes is held. */
  #held: (() => void)[] | undefined;
  /** Of each owner, as it was when it was last checked. */
  #were: Before[] = [];
  endedMs = Number.NEGATIVE_INFINITY;
  takeovers = 0;
  handOvers = 0;
  refusals = 0;

  constructor(node: number, index: number, around: Around) {
    this.node = node;
    this.index = index;
    this.#around = around;
  }

  get member(): Member | undefined {
    return this.#member;
  }

  get isUp(): boolean {
    return this.#joining !== undefined || this.#member !== undefined;
  }

  get isRunning(): boolean {
    return this.#member !== undefined && this.#held === undefined;
  }

  get name(): string {
    return `${this.index}.${this.#starts}`;
  }

  owns(partition: number): boolean {
    return this.#member?.owners[partition]?.phase === 'owning';
  }

  start(): void {
    if (this.isUp) return;
    this.#starts++;
    this.#joining = newJoining(this.node, this.#around.plan.nodes);
    this.#joiningMs = this.#around.network.now;
  }

  end(): void {
    if (!this.isUp) return;
    this.#joining = undefined;
    this.#member = undefined;
    this.#held = undefined;
    this.endedMs = this.#around.network.now;
    this.#around.ended(this);
  }

  pause(forMs: number): void {
    if (!this.isUp) return;
    const starts = this.#starts;
    this.#held ??= [];
    this.#around.network.after(forMs, () => {
      if (starts === this.#starts) this.resume();
    });
  }

  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (!held) return;
    // Whether it looks at the clock first is chance.
    if (this.#around.dice.chance(1, 2)) this.give({ from: 'clock' });
    for (const event of held) event();
  }

  /** An input reaches it, now or when it goes on. */
  give(input: Input): void {
    this.#give(this.#starts, input);
  }

  #give(starts: number, input: Input): void {
    if (starts !== this.#starts) return;
    if (this.#held) {
      if (input.from !== 'clock') this.#held.push(() => this.#give(starts, input));
      return;
    }
    const { plan, network } = this.#around;
    const { rate, offsetMs } = plan.clocks[this.index]!;
    const nowMs = Math.floor(network.now * rate) + offsetMs;
    if (this.#joining) this.#join(this.#joining, input, nowMs);
    else if (this.#member) this.#step(this.#member, input, nowMs);
  }

  #join(joining: Joining, input: Input, nowMs: number): void {
    const { plan, network, parts } = this.#around;
    if (input.from !== 'clock' && input.from !== 'bucket') return;
    for (const ask of join(joining, input.from === 'bucket' ? input.answer : undefined, nowMs))
      this.#askBucket(ask);
    const { outcome } = joining;
    if (outcome === undefined) return;
    if (outcome === 'in-use') {
      this.refusals++;
      const hadTwin = this.#around.hadTwin(this, this.#joiningMs);
      expectThat(hadTwin, () => `${this.name} finds node ${this.node} in use, and nobody is there`);
      this.end();
      return;
    }
    checkJoined(this.node, outcome, parts, network.now);
    this.#joining = undefined;
    const { nodes, partitions, fence, limits } = plan;
    this.#member = newMember({ node: this.node, joined: outcome, nodes, partitions, fence, limits });
    this.#were = this.#member.owners.map(before);
  }

  #step(member: Member, input: Input, nowMs: number): void {
    const { parts, network } = this.#around;
    const was = isOfEarlierEpoch(member, input) ? stateOf(member) : undefined;
    const effects = step(member, input, nowMs);
    expectThat(
      was === undefined || (was === stateOf(member) && effects.length === 0),
      () => `${this.name} takes an answer to an earlier epoch`,
    );
    for (const [partition, owner] of member.owners.entries()) {
      const earlier = this.#were[partition]!;
      if (!hasChanged(owner, earlier)) continue;
      checkOwner(owner, earlier, parts.logs[partition]!);
      if (owner.phase === 'none' && earlier.phase === 'owning') this.handOvers++;
      const { phase } = owner;
      if (phase !== earlier.phase && (phase === 'loading' || phase === 'replaying'))
        this.#around.takesOver(this);
      this.#were[partition] = before(owner);
    }
    for (const effect of effects) {
      checkEffect(member, effect, parts, network.now);
      this.#carry(effect);
    }
  }

  #carry(effect: Effect): void {
    const { network, parts, dice, plan } = this.#around;
    const starts = this.#starts;
    switch (effect.to) {
      case 'agents':
        break;
      case 'process':
        this.end();
        break;
      case 'node':
        network.send(true, 0, () =>
          this.#around.toNode(effect.node, { from: 'node', message: effect.message }),
        );
        break;
      case 'log': {
        const { partition, ask } = effect;
        const isWrite = ask.kind === 'append' || ask.kind === 'keep' || ask.kind === 'purge';
        const atLeastMs = ask.kind === 'keep' ? dice.below(plan.pieceMs) : 0;
        network.ask(isWrite, atLeastMs, () => {
          const log = parts.logs[partition]!;
          const answer = log.answer(ask, network.now, network.lateMs(), dice.between(1, 4));
          return () => this.#give(starts, { from: 'log', partition, answer });
        });
        break;
      }
      case 'bucket':
        if (effect.ask.kind === 'claim' && effect.ask.lapsed) this.takeovers++;
        this.#askBucket(effect.ask);
        break;
      case 'store': {
        const { partition, ask } = effect;
        const { name } = this;
        network.send(false, 0, () => {
          const answer = parts.stores[partition]!.answer(ask, name);
          if (answer) network.send(false, 0, () => this.#give(starts, { from: 'store', partition, answer }));
        });
        break;
      }
    }
  }

  #askBucket(ask: BucketAsk): void {
    const { network, parts } = this.#around;
    const starts = this.#starts;
    network.ask(ask.kind !== 'look', 0, () => {
      const answer = parts.bucket.answer(ask, this.node, network.now, network.lateMs());
      return () => this.#give(starts, { from: 'bucket', answer });
    });
  }
}
