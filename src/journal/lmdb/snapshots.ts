import { ReporterError } from '../../model/errors.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import type { SnapshotSource } from '../contract.js';
import { decodePiece, encodePiece, PIECE_BYTES, pieceBytes, ROWS_PER_PIECE } from '../record.js';
import { type Place, storedBytes } from './place.js';
import { REMOVALS_PER_COMMIT, type Records } from './records.js';
import { type Head, NO_HEAD } from './tables.js';
import type { UnmappedPartition } from './unmapped.js';

/** The snapshot of one partition: pieces, and a head that publishes them. */
export class Snapshots {
  readonly #place: Place;
  readonly #records: Records;
  #head: Head | undefined;
  #bytes = 0;

  constructor(place: Place, records: Records) {
    this.#place = place;
    this.#records = records;
  }

  /** Of the published one. */
  get head(): Head {
    const { tables, epoch, partition } = this.#place;
    this.#head ??= tables.heads.get([epoch, partition]) ?? NO_HEAD;
    return this.#head;
  }

  /** Of its pieces. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes the pieces, then publishes them in one transaction with the removal of the first records that they cover.
   * See `PartitionJournal.snapshot`.
   */
  async take(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean> {
    // What a snapshot covers never shrinks: it would uncover records that are gone.
    if (sequence < this.head.sequence) throw new RangeError(`snapshot ${sequence} < ${this.head.sequence}`);
    // Its pieces would be written over those that are published, and half of them when it is cut off.
    if (sequence === this.head.sequence) return true;
    const written = await this.#writePieces(sequence, source, isStale);
    if (!written || isStale()) return false;
    const { tables, commits, epoch, partition } = this.#place;
    const previous = this.head;
    const head: Head = { sequence, pieces: written.pieces, batchId };
    const covered = this.#records.covered(sequence);
    const publish = () =>
      tables.heads.batch(() => {
        void tables.heads.put([epoch, partition], head);
        this.#records.remove(covered);
      });
    if (!(await commits.remove(covered.length, publish, isStale))) return false;
    this.#head = head;
    this.#bytes = written.bytes;
    this.#records.forget(covered);
    if (covered.length === REMOVALS_PER_COMMIT) await this.#records.removeUpTo(sequence);
    await this.#removePieces(previous);
    return true;
  }

  /** Undefined when it was given up. */
  async #writePieces(
    sequence: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<{ readonly pieces: number; readonly bytes: number } | undefined> {
    const { tables, commits, epoch, partition } = this.#place;
    let pieces = 0;
    let total = 0;
    // A piece is on disk before the next one is copied: all of them share this memory.
    const copy = new Int32Array(Math.min(source.slotEnd, ROWS_PER_PIECE) * WORDS_PER_ROW);
    const encoded = new ArrayBuffer(source.slotEnd > 0 ? PIECE_BYTES : 0);
    for (let slot = 0; slot < source.slotEnd; slot += ROWS_PER_PIECE) {
      const rows = source.copySlots(slot, slot + ROWS_PER_PIECE, copy);
      if (rows.length === 0) continue;
      const bytes = storedBytes(this.#place, encodePiece(rows, encoded), 'piece', sequence);
      const key = [epoch, partition, sequence, pieces++];
      if (isStale()) return undefined;
      if (!(await commits.store(bytes.length, 0, () => tables.snapshots.put(key, bytes), isStale)))
        return undefined;
      total += bytes.length;
    }
    return { pieces, bytes: total };
  }

  async #removePieces({ sequence, pieces }: Head): Promise<void> {
    const { tables, commits, epoch, partition } = this.#place;
    for (let from = 0; from < pieces; from += REMOVALS_PER_COMMIT) {
      await commits.remove(REMOVALS_PER_COMMIT, () =>
        tables.snapshots.batch(() => {
          for (let piece = from; piece < Math.min(pieces, from + REMOVALS_PER_COMMIT); piece++)
            void tables.snapshots.remove([epoch, partition, sequence, piece]);
        }),
      );
    }
  }

  /** A kill leaves pieces of a snapshot that was not published yet, or of one that another has followed. */
  async removeStray(): Promise<void> {
    const { tables, commits, epoch, partition } = this.#place;
    commits.requireOpen();
    const range = { start: [epoch, partition], end: [epoch, partition + 1] };
    const { sequence } = this.head;
    const stray = [...tables.snapshots.getKeys(range)].filter((key) => key[2] !== sequence);
    // Most often there are none, and a commit of nothing would wait for a disk that is full.
    if (stray.length === 0) return;
    await commits.remove(stray.length, () =>
      tables.snapshots.batch(() => stray.forEach((key) => void tables.snapshots.remove(key))),
    );
  }

  /** The rows of each piece, in order. Those that are damaged go into quarantine. */
  async *read(unmapped: UnmappedPartition | undefined): AsyncGenerator<Int32Array> {
    const { commits } = this.#place;
    const { sequence, pieces } = this.head;
    this.#bytes = 0;
    for (let piece = 0; piece < pieces; piece++) {
      commits.requireOpen();
      const rows = decoded(unmapped?.piece(sequence, piece)) ?? (await this.#mapped(piece));
      if (!rows) continue;
      this.#bytes += pieceBytes(rows);
      yield rows;
    }
  }

  async #mapped(piece: number): Promise<Int32Array | undefined> {
    const { tables, commits, quarantine, epoch, partition } = this.#place;
    const { sequence } = this.head;
    const bytes = tables.snapshots.get([epoch, partition, sequence, piece]);
    if (!bytes) {
      const error = new ReporterError('JOURNAL_CORRUPT', `snapshot piece ${piece} is missing`);
      quarantine.tell(partition, sequence, error);
      return undefined;
    }
    try {
      return decodePiece(bytes);
    } catch (error) {
      if (!(error instanceof ReporterError)) throw error;
      const key = [epoch, partition, sequence, piece];
      await commits.store(bytes.length, 1, () =>
        tables.snapshots.batch(() => {
          quarantine.put(key, { partition, sequence, error: error.message, bytes });
          void tables.snapshots.put(key, encodePiece(new Int32Array(0)));
        }),
      );
      quarantine.tell(partition, sequence, error);
      return undefined;
    }
  }
}

/** Undefined unless it is a whole, undamaged piece. */
function decoded(bytes: Uint8Array | undefined): Int32Array | undefined {
  try {
    return bytes && decodePiece(bytes);
  } catch {
    return undefined;
  }
}
