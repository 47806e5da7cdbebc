import type { DeadLetter } from '../../model/dead-letter.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import type { SnapshotSource, StoredDeadLetter } from '../contract.js';
import { decodePiece, encodePiece, ROWS_PER_PIECE } from '../record.js';
import type { Label, Stored } from './label.js';
import type { LocalPeers, PeerList } from './local-peers.js';
import { type Place, partsOf } from './log-place.js';
import { Assembly, readRange } from './log-reader.js';
import type { SnapshotPlace } from './partition-head.js';
import { decodeSections, encodeSections, jsonBytes, jsonOf } from './sections.js';

const LETTERS_PER_PIECE = 500;

/** What a snapshot is made of. */
export interface SnapshotContent {
  readonly sequence: number;
  readonly epoch: number;
  readonly source: SnapshotSource;
  readonly letters: readonly StoredDeadLetter[];
}

/**
 * Writes the pieces of a snapshot, which nobody sees before a head names them. Undefined when it was given up; `place` is
 * undefined when there was nothing to write.
 */
export async function writePieces(
  place: Place,
  content: SnapshotContent,
  isStale: () => boolean,
): Promise<{ readonly place: SnapshotPlace | undefined } | undefined> {
  const { peers, sender, faults, partition } = place;
  const { sequence, epoch, source, letters } = content;
  const whole = sender.label('rows', { epoch });
  let written: SnapshotPlace | undefined;
  const write = async (kind: Label['kind'], bytes: Uint8Array): Promise<boolean> => {
    const pieces = written?.pieces ?? 0;
    const positions = await publishParts(place, { ...whole, kind, sequence: pieces }, bytes, isStale);
    if (!positions) return false;
    written = {
      ...{ incarnation: sender.incarnation, id: whole.id, pieces: pieces + 1 },
      first: written?.first ?? positions.first,
      last: positions.last,
      bytes: (written?.bytes ?? 0) + bytes.length,
    };
    return true;
  };
  for (let slot = 0; slot < source.slotEnd; slot += ROWS_PER_PIECE) {
    const rows = source.copySlots(slot, slot + ROWS_PER_PIECE);
    if (rows.length === 0) continue;
    const plain = encodePiece(rows);
    const stored = faults?.onStore?.(plain, { kind: 'piece', partition, sequence }) ?? plain;
    const bytes = encodeSections(stored, jsonBytes(peers.listOf(rows)));
    if (isStale() || !(await write('rows', bytes))) return undefined;
  }
  for (let from = 0; from < letters.length; from += LETTERS_PER_PIECE) {
    const some = letters.slice(from, from + LETTERS_PER_PIECE).map(({ deadLetter }) => deadLetter);
    if (isStale() || !(await write('letters', encodeSections(jsonBytes(some))))) return undefined;
  }
  return { place: written };
}

async function publishParts(place: Place, label: Label, bytes: Uint8Array, isStale: () => boolean) {
  const { link, attempts, subjects } = place;
  const parts = partsOf(place, bytes);
  const positions: number[] = [];
  for (const [part, some] of parts.entries()) {
    const one = { ...label, part, parts: parts.length };
    // One that is not answered may be there twice: readers take the first.
    const position = await attempts.write(() => link.publish(subjects.pieces, one, some), isStale);
    if (position === undefined) return undefined;
    positions.push(position);
  }
  return { first: positions[0]!, last: positions.at(-1)! };
}

/** A piece as it was found. */
export interface Piece {
  readonly number: number;
  readonly kind: Label['kind'];
  /** Undefined when it is missing. */
  readonly bytes: Uint8Array | undefined;
}

/** The pieces of a snapshot, in order. */
export async function* readPieces(place: Place, snapshot: SnapshotPlace): AsyncGenerator<Piece> {
  const { subjects } = place;
  // Heads are published behind the pieces that they name, and the last one is never purged.
  const range = { subject: subjects.pieces, fence: subjects.head, from: snapshot.first, to: snapshot.last };
  const assembly = new Assembly();
  let next = { piece: 0, part: 0 };
  const isNew = ({ label }: Stored) =>
    (label.kind === 'rows' || label.kind === 'letters') &&
    label.incarnation === snapshot.incarnation &&
    label.id === snapshot.id &&
    (label.sequence > next.piece || (label.sequence === next.piece && label.part === next.part));
  let number = 0;
  for await (const message of readRange(place, range)) {
    if (!isNew(message)) continue;
    const { label } = message;
    next =
      label.part + 1 < label.parts
        ? { piece: label.sequence, part: label.part + 1 }
        : { piece: label.sequence + 1, part: 0 };
    const whole = assembly.add(message);
    if (!whole) continue;
    while (number < label.sequence) yield { number: number++, kind: 'rows', bytes: undefined };
    yield { number: number++, kind: label.kind, bytes: whole.body };
  }
  while (number < snapshot.pieces) yield { number: number++, kind: 'rows', bytes: undefined };
}

/** The rows of a piece, with the numbers of this process. Throws ReporterError JOURNAL_CORRUPT. */
export function decodeRows(bytes: Uint8Array, peers: LocalPeers): Int32Array {
  const [piece, list] = decodeSections(bytes);
  const rows = decodePiece(piece!);
  peers.renumber(rows, jsonOf<PeerList>(list!));
  return rows;
}

/** Throws ReporterError JOURNAL_CORRUPT. */
export function decodeLetters(bytes: Uint8Array): DeadLetter[] {
  return jsonOf<DeadLetter[]>(decodeSections(bytes)[0]!);
}

export const rowsIn = (rows: Int32Array) => rows.length / WORDS_PER_ROW;
