import { MAX_DRIFT } from '../../src/cluster/lease.js';
import type { FenceKind } from '../../src/cluster/owner-fence.js';
import type { Limits } from '../../src/cluster/owner-state.js';
import type { Dice } from '../../src/testing/dice.js';

/** How late a read of the bucket or the log shows what was written, ms at most. */
export const MAX_LATE_READ_MS = 400;
/** How long a message may be on its way, ms at most. */
export const MAX_DELAY_MS = 5000;

/** What goes wrong in a schedule, in thousandths of the messages. */
export interface Rates {
  readonly lost: number;
  readonly doubled: number;
  readonly delayed: number;
  readonly lateReads: number;
}

/** Nothing goes wrong any more. */
export const CALM: Rates = { lost: 0, doubled: 0, delayed: 0, lateReads: 0 };

/** A node, or whoever owns a partition when it is struck. */
export type Target = { readonly node: number } | { readonly ownerOf: number };

export type Fault =
  | { readonly kind: 'pause'; readonly of: Target; readonly forMs: number }
  | { readonly kind: 'kill'; readonly of: Target }
  /** Log and bucket answer nobody. */
  | { readonly kind: 'outage'; readonly forMs: number }
  /** They can be read, and not written: a stream without a leader. */
  | { readonly kind: 'unwritable'; readonly forMs: number }
  /** A second process of the same node, started by mistake or on another machine. */
  | { readonly kind: 'twin'; readonly forMs: number }
  /** The store ends the sessions of a node, which is not told. */
  | { readonly kind: 'disconnect'; readonly of: Target }
  /** The same, and the node stands still before it has its lock again: for long enough to be taken over. */
  | { readonly kind: 'stall'; readonly of: Target; readonly afterMs: number; readonly forMs: number }
  /** Whoever takes over next stands still while it reads the log. */
  | { readonly kind: 'ambush'; readonly forMs: number }
  | { readonly kind: 'give-up'; readonly of: Target; readonly partition: number };

export interface Plan {
  readonly nodes: number;
  readonly partitions: number;
  readonly fence: FenceKind;
  readonly limits: Limits;
  /** How long a piece of a snapshot takes until it is kept, ms at most. */
  readonly pieceMs: number;
  /** Until then the store refuses some values. */
  readonly repairedAtMs: number;
  /** The node of which a second process may be started. */
  readonly twin: { readonly node: number };
  /** Of each process: that of each node, then the second one. */
  readonly clocks: readonly { readonly rate: number; readonly offsetMs: number }[];
  readonly rates: Rates;
  readonly faults: readonly { readonly atMs: number; readonly fault: Fault }[];
  /** From then on nothing goes wrong, and all nodes run. */
  readonly calmAtMs: number;
}

export function planOf(dice: Dice): Plan {
  const nodes = dice.pick([1, 2, 2, 2, 3, 3, 3]);
  const partitions = dice.between(1, 2);
  const calmAtMs = dice.between(6000, 14_000);
  const clocks = Array.from({ length: nodes + 1 }, () => ({
    rate: 1 + (dice.between(-100, 100) / 100) * MAX_DRIFT,
    offsetMs: dice.between(0, 1_000_000),
  }));
  return {
    ...{ nodes, partitions, clocks, calmAtMs },
    fence: dice.chance(1, 2) ? 'lock' : 'table',
    limits: limitsOf(dice),
    twin: { node: dice.below(nodes) },
    pieceMs: dice.pick([1, 100, 800]),
    repairedAtMs: dice.chance(1, 3) ? Number.POSITIVE_INFINITY : dice.between(0, calmAtMs),
    rates: {
      lost: dice.pick([0, 20, 100, 250]),
      doubled: dice.pick([0, 50, 200]),
      delayed: dice.pick([0, 20, 100, 200]),
      lateReads: dice.pick([0, 200, 700]),
    },
    faults: Array.from({ length: dice.between(2, 12) }, () => ({
      atMs: dice.between(500, calmAtMs),
      fault: faultOf(dice, nodes, partitions),
    })),
  };
}

/** Small, so that each is met often. */
function limitsOf(dice: Dice): Limits {
  const batchRows = dice.between(1, 3);
  return {
    ...{ batchRows, noteRows: dice.between(1, 3), statementRows: dice.between(1, 3) },
    ...{ pieceKeys: dice.between(1, 4), snapshotEntries: dice.between(2, 15) },
    maxKeys: dice.between(batchRows, 9),
  };
}

function faultOf(dice: Dice, nodes: number, partitions: number): Fault {
  const of = dice.chance(1, 3) ? { node: dice.below(nodes) } : { ownerOf: dice.below(partitions) };
  switch (dice.below(15)) {
    case 0:
    case 1:
      return { kind: 'pause', of, forMs: dice.between(200, 7000) };
    case 2:
    case 3:
    case 11:
      return { kind: 'stall', of, afterMs: dice.between(0, 300), forMs: dice.between(3000, 9000) };
    case 4:
    case 5:
      return { kind: 'kill', of };
    case 6:
      return { kind: 'outage', forMs: dice.between(500, 5000) };
    case 7:
      return { kind: 'disconnect', of };
    case 8:
    case 12:
      return { kind: 'unwritable', forMs: dice.between(1500, 7000) };
    case 13:
      return { kind: 'ambush', forMs: dice.between(3000, 9000) };
    case 9:
      return { kind: 'twin', forMs: dice.between(1000, 9000) };
    default:
      return { kind: 'give-up', of, partition: dice.below(partitions) };
  }
}
