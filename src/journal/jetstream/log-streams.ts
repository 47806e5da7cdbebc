import { randomBytes } from 'node:crypto';
import type { StreamConfig } from '@nats-io/jetstream';
import { ReporterError } from '../../model/errors.js';
import type { Label } from './label.js';
import type { Sender } from './log-place.js';
import { type Link, Refused, within } from './nats-link.js';
import { decodeSections, encodeSections, jsonBytes, jsonOf } from './sections.js';
import { metaSubject, streamOf, subjectsOf } from './subjects.js';

/** Of what is stored; raised whenever older readers would misread it. */
export const REPLICATED_FORMAT = 1;

/** What is said of the whole journal, once, when it is made. */
export interface Meta {
  readonly format: number;
  readonly id: string;
  /** Number of partitions, and of the streams that they are spread over. */
  readonly writers: number;
  readonly streams: number;
}

export interface StreamOptions {
  readonly cluster: string;
  readonly writers: number;
  readonly streams: number;
  readonly replicas: number;
  readonly openMs: number;
}

/** Makes what is missing of the streams. Gives what is said of the journal; who comes first says it. */
export async function openStreams(link: Link, sender: Sender, options: StreamOptions): Promise<Meta> {
  const { cluster, openMs } = options;
  const patiently = <T>(what: string, ask: () => Promise<T>) =>
    within(openMs, `the journal of cluster ${cluster} cannot be opened: ${what}`, ask);
  await patiently('its first stream', () => openStream(link, options, 0));
  const meta = await patiently('what is said of it', () => readMeta(link, sender, options));
  if (meta.format !== REPLICATED_FORMAT)
    throw new ReporterError(
      'JOURNAL_VERSION',
      `the journal of cluster ${cluster} has format ${meta.format}, this version reads format ${REPLICATED_FORMAT}`,
    );
  for (let index = 1; index < meta.streams; index++)
    await patiently(`stream ${index}`, () => openStream(link, options, index));
  return meta;
}

async function readMeta(link: Link, sender: Sender, options: StreamOptions): Promise<Meta> {
  const { cluster, writers, streams } = options;
  const subject = metaSubject(cluster);
  const found = await link.last(streamOf(cluster, 0), subject);
  if (found) return jsonOf<Meta>(decodeSections(found.body)[0]!);
  const made: Meta = { format: REPLICATED_FORMAT, id: randomBytes(8).toString('hex'), writers, streams };
  const label: Label = sender.label('meta', {});
  try {
    await link.publish(subject, label, encodeSections(jsonBytes(made)), 0);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  // Another one may have been first.
  throw new Error('it is made just now');
}

async function openStream(link: Link, options: StreamOptions, index: number): Promise<void> {
  const { cluster, replicas } = options;
  const name = streamOf(cluster, index);
  const config = await link.stream(name);
  if (config) {
    const problem = problemOf(config, replicas, subjectsOf(cluster, index));
    if (problem) throw new ReporterError('JOURNAL_UNUSABLE', `stream ${name} ${problem}`);
    return;
  }
  await link.addStream({
    ...{ name, subjects: [subjectsOf(cluster, index)], num_replicas: replicas },
    description: 'journal of lars-reporter',
    ...SETTINGS,
  });
}

/** Nothing goes but what is purged; nobody else may take a message away. */
const SETTINGS = {
  storage: 'file',
  retention: 'limits',
  discard: 'new',
  deny_delete: true,
  // Answered by any replica, also by one that is behind.
  allow_direct: false,
} as const;

/** What would lose journaled reports, or never take them. */
function problemOf(config: StreamConfig, replicas: number, subject: string): string | undefined {
  if (!config.subjects?.includes(subject)) return `does not take ${subject}`;
  if (config.sealed || config.no_ack || config.deny_purge)
    return 'is sealed, or has no_ack or deny_purge: a journal must be written, confirmed and purged';
  if (config.max_msg_size > 0)
    return 'has max_msg_size: entries are cut at max_payload of the servers, and not below';
  if (config.num_replicas < replicas)
    return `has ${config.num_replicas} replicas, ${replicas} are wanted: nats stream edit --replicas=${replicas}`;
  if (config.storage !== SETTINGS.storage) return 'is kept in memory: it must be kept in files';
  if (config.retention !== SETTINGS.retention) return `has retention ${config.retention}: it must be limits`;
  if (config.max_age > 0) return 'has max_age: it would remove journaled reports when they are old';
  if (config.max_msgs_per_subject > 0) return 'has max_msgs_per_subject: it would remove journaled reports';
  if (config.discard !== SETTINGS.discard && (config.max_msgs > 0 || config.max_bytes > 0))
    return 'has discard old: it would remove journaled reports when it is full';
  return undefined;
}
