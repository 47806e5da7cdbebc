import { ReporterError } from '../../model/errors.js';

/** Header that carries the label of a message. */
export const LABEL = 'Lars-Label';

/** What a message says of itself beside its bytes, so that bytes that are damaged can be told from others. */
export interface Label {
  /**
   * In the log: `epoch` begins that of an owner, `entry` is a record with what goes with it, `release` removes dead
   * letters. Of a snapshot: `rows`, `letters`. Else `head`, `kept`, `meta`.
   */
  readonly kind: 'epoch' | 'entry' | 'release' | 'rows' | 'letters' | 'head' | 'kept' | 'meta';
  /** Of the record; of a piece, its number in the snapshot. */
  readonly sequence: number;
  readonly epoch: number;
  /** Who wrote it: a node, and which of its lives. */
  readonly node: string;
  readonly incarnation: string;
  /** Number that the sender gave to what this message is, or is a part of. */
  readonly id: number;
  /** What the append expected as the last sequence of its subject; a reader sees by it that nothing is missing. */
  readonly previous: number;
  /** Which of its parts this is, from 0, and how many there are. */
  readonly part: number;
  readonly parts: number;
}

/** A message as it is stored. */
export interface Stored {
  /** Its sequence in the stream. */
  readonly position: number;
  readonly label: Label;
  readonly body: Uint8Array;
}

export function encodeLabel(label: Label): string {
  return JSON.stringify(label);
}

/** Throws ReporterError JOURNAL_CORRUPT when it is none. */
export function decodeLabel(text: string, place: string): Label {
  try {
    const label = JSON.parse(text) as Label;
    if (typeof label.kind === 'string' && Number.isSafeInteger(label.sequence)) return label;
  } catch {
    // Said below.
  }
  throw new ReporterError('JOURNAL_CORRUPT', `${place} has no label of a journal: somebody else wrote it`);
}

/** Whether both are the same part of the same thing by the same sender. */
export function isSame(a: Label, b: Label): boolean {
  return a.incarnation === b.incarnation && a.id === b.id && a.part === b.part;
}
