import type { ExecutionContext } from 'ava';
import type { Journal } from '../../../src/journal/contract.js';
import {
  ReplicatedJournal,
  type ReplicatedOptions,
} from '../../../src/journal/jetstream/replicated-journal.js';
import { NO_EVENTS } from '../../../src/observe/events.js';
import type { NatsCluster } from '../../support/nats-cluster.js';

let count = 0;

/** A name that no other journal of these servers has. */
export const freshName = () => `t${process.pid}-${++count}`;

export type Opening = Partial<ReplicatedOptions>;

/** Opens a journal as a node of a cluster; closed at the end of the test. */
export async function openReplicated(
  t: Pick<ExecutionContext, 'teardown'>,
  cluster: NatsCluster,
  options: Opening,
): Promise<ReplicatedJournal> {
  const journal = await ReplicatedJournal.open({
    ...{ servers: cluster.servers, cluster: 'lars', node: 'a', writers: 2, events: NO_EVENTS },
    ...options,
  });
  t.teardown(() => journal.close());
  return journal;
}

export const closeAll = (journals: readonly Journal[]) =>
  Promise.all(journals.map((journal) => journal.close()));
