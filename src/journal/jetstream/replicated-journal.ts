import { randomBytes } from 'node:crypto';
import { ReporterError } from '../../model/errors.js';
import type {
  DeadLetters,
  Journal,
  JournalEvent,
  JournalOptions,
  Layout,
  PartitionSurvey,
} from '../contract.js';
import { Attempts } from './attempts.js';
import { AllLetters } from './dead-letters.js';
import { LocalPeers } from './local-peers.js';
import { type Place, Sender, type Shared } from './log-place.js';
import { type Meta, openStreams } from './log-streams.js';
import { surveyLog } from './log-survey.js';
import { Link } from './nats-link.js';
import { importNats } from './nats-packages.js';
import { OwnedPartition } from './owned-partition.js';
import { partitionSubjects, requireName } from './subjects.js';

const MAX_STREAMS = 8;
const OPEN_MS = 30_000;

export interface ReplicatedOptions extends Omit<JournalOptions, 'dir'> {
  /** Addresses of NATS servers, `host:port`: some of them, the others are learned. */
  readonly servers: readonly string[];
  /** Name of the cluster: of its streams and subjects. */
  readonly cluster: string;
  /** Name of this node; no two processes at a time may have the same. */
  readonly node: string;
  /** Replicas of each stream; 3 unless given. A journal that is there may have more. */
  readonly replicas?: number;
  /** Streams of a new journal that its partitions are spread over; up to 8 unless given. */
  readonly streams?: number;
  /** How long the opening may take; 30 s unless given. */
  readonly openMs?: number;
}

/**
 * A journal on NATS JetStream. A record is durable when a majority of the servers has it; by their default they sync to
 * their disks every two minutes, so that a loss of power of all of them at a time may lose more.
 *
 * Whoever replays a partition takes it from whoever had it; what that one appends from then on rejects. The number of
 * partitions is fixed when the journal is made.
 */
export class ReplicatedJournal implements Journal {
  readonly peers: LocalPeers;
  readonly deadLetters: DeadLetters;
  readonly #meta: Meta;
  readonly #shared: Shared;
  readonly #cluster: string;
  readonly #partitions = new Map<number, OwnedPartition>();
  #closing: Promise<void> | undefined;

  /**
   * Opens the journal of a cluster, or makes it. Rejects with ReporterError: JOURNAL_UNUSABLE when the servers cannot be
   * reached in time, are too old, or have settings that would lose reports; JOURNAL_VERSION; CONFIG_INVALID when a name
   * cannot be used, or the packages of NATS are missing.
   */
  static async open(options: ReplicatedOptions): Promise<ReplicatedJournal> {
    const { cluster, node, servers, events, faults, openMs = OPEN_MS } = options;
    requireName('cluster.name', cluster);
    requireName('cluster.node', node);
    const name = `lars-reporter ${cluster} ${node}`;
    const link = await Link.open(await importNats(), { servers, name, openMs });
    try {
      const sender = new Sender(node, randomBytes(8).toString('hex'));
      const { writers, replicas = 3, streams = Math.min(MAX_STREAMS, writers) } = options;
      const meta = await openStreams(link, sender, { cluster, writers, streams, replicas, openMs });
      const attempts = new Attempts(events, faults);
      const shared = { link, attempts, peers: new LocalPeers(), events, faults, sender };
      return new ReplicatedJournal(cluster, meta, shared);
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  private constructor(cluster: string, meta: Meta, shared: Shared) {
    this.#cluster = cluster;
    this.#meta = meta;
    this.#shared = shared;
    this.peers = shared.peers;
    this.deadLetters = new AllLetters(
      () => [...this.#partitions.values()].map(({ letters }) => letters),
      () => shared.attempts.requireOpen(),
    );
  }

  get id(): string {
    return this.#meta.id;
  }

  get layout(): Layout {
    return { writers: this.#meta.writers };
  }

  get quarantined(): number {
    let sum = 0;
    for (const partition of this.#partitions.values()) sum += partition.quarantined;
    return sum;
  }

  /** The same one each time. */
  partition(index: number): OwnedPartition {
    const known = this.#partitions.get(index);
    if (known) return known;
    const partition = new OwnedPartition(this.#place(index));
    this.#partitions.set(index, partition);
    return partition;
  }

  #place(partition: number): Place {
    const subjects = partitionSubjects(this.#cluster, this.#meta.streams, partition);
    return { ...this.#shared, partition, subjects };
  }

  survey(index: number, onEvent: (event: JournalEvent) => void): Promise<PartitionSurvey> {
    return surveyLog(this.#place(index), onEvent);
  }

  async relayout(): Promise<void> {
    throw new ReporterError(
      'JOURNAL_UNUSABLE',
      `cluster ${this.#cluster} has ${this.#meta.writers} partitions for good: drain it, and make another one under ` +
        'another cluster.name with the number that you want',
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shared.attempts.close();
    await this.#shared.link.close();
  }
}
