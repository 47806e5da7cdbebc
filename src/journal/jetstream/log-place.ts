import type { EventSink } from '../../observe/events.js';
import type { JournalFaults } from '../faults.js';
import type { Attempts } from './attempts.js';
import type { Label } from './label.js';
import type { LocalPeers } from './local-peers.js';
import type { Link } from './nats-link.js';
import type { Subjects } from './subjects.js';

/** What all partitions of a journal share. */
export interface Shared {
  readonly link: Link;
  readonly attempts: Attempts;
  readonly peers: LocalPeers;
  readonly events: EventSink;
  readonly faults: JournalFaults | undefined;
  readonly sender: Sender;
}

/** One partition, and how it is reached. */
export interface Place extends Shared {
  readonly partition: number;
  readonly subjects: Subjects;
}

/** A node in one of its lives; numbers what it writes. */
export class Sender {
  readonly node: string;
  readonly incarnation: string;
  #lastId = 0;

  constructor(node: string, incarnation: string) {
    this.node = node;
    this.incarnation = incarnation;
  }

  /** A name that no other consumer has. */
  consumerName(): string {
    return `${this.node}-${this.incarnation}-${++this.#lastId}`;
  }

  /** A label of something that was not written before. */
  label(kind: Label['kind'], given: Partial<Label>): Label {
    const { node, incarnation } = this;
    const base = { sequence: 0, epoch: 0, previous: 0, part: 0, parts: 1 };
    return { kind, node, incarnation, id: ++this.#lastId, ...base, ...given };
  }
}

/** What headers and the protocol may take of the largest message. */
const HEADER_BYTES = 2048;

/** Bytes in parts that a server takes. */
export function partsOf({ link }: Shared, bytes: Uint8Array): Uint8Array[] {
  const most = link.maxPayload - HEADER_BYTES;
  const count = Math.max(1, Math.ceil(bytes.length / most));
  return Array.from({ length: count }, (_, part) => bytes.subarray(part * most, (part + 1) * most));
}
