import { ReporterError } from '../../model/errors.js';

/** Where what belongs to one partition stands: a stream, and subjects of it. */
export interface Subjects {
  readonly stream: string;
  /** Entries, in order: the log. */
  readonly log: string;
  /** Pieces of snapshots. */
  readonly pieces: string;
  /** What is published of the snapshot, the last message alone counts. */
  readonly head: string;
  /** Bytes that were put into quarantine. */
  readonly kept: string;
}

/** Throws ReporterError CONFIG_INVALID for a name that cannot be a part of a subject. */
export function requireName(key: string, name: string): void {
  if (/^[A-Za-z0-9_-]{1,48}$/.test(name)) return;
  throw new ReporterError(
    'CONFIG_INVALID',
    `${key} is ${JSON.stringify(name)}: it must have 1 to 48 letters, digits, "-" or "_"`,
  );
}

export const streamOf = (cluster: string, index: number) => `lars-${cluster}-${index}`;

/** All subjects of a stream. */
export const subjectsOf = (cluster: string, index: number) => `lars.${cluster}.${index}.>`;

/** Holds what is said of the whole journal; on the first stream. */
export const metaSubject = (cluster: string) => `lars.${cluster}.0.meta`;

/** Partitions are spread over the streams: each stream has one leader. */
export function partitionSubjects(cluster: string, streams: number, partition: number): Subjects {
  const index = partition % streams;
  const subject = (what: string) => `lars.${cluster}.${index}.${what}.${partition}`;
  return {
    stream: streamOf(cluster, index),
    log: subject('log'),
    pieces: subject('pieces'),
    head: subject('head'),
    kept: subject('kept'),
  };
}
