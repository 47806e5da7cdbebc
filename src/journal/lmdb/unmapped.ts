import { type BigValue, BigValues } from '../../lmdb/big-values.js';
import { decodeKey } from '../../lmdb/ordered-keys.js';

type Place = Pick<BigValue, 'at' | 'length'>;

/** Where the large records and pieces of a partition are. */
interface Places {
  readonly records: Map<number, Place>;
  /** Of all snapshots, finished or not: by sequence, then by piece. */
  readonly pieces: Map<number, Place[]>;
}

/** The large values of one partition as they were when the journal was opened. */
export interface UnmappedPartition {
  record(sequence: number): Uint8Array | undefined;
  piece(sequence: number, piece: number): Uint8Array | undefined;
}

/**
 * What a start replays, read without lmdb's map: else the resident memory of a process that was started anew would hold
 * the whole journal beside the rows. Each partition once, before anything is written to it, for that may move its
 * values; what is small, and what is replayed again after a crash, lmdb reads.
 */
export class Unmapped {
  readonly #values: BigValues;
  readonly #epoch: number;
  readonly #partitions = new Map<number, Places>();

  /** While nothing is written. `epoch`: of the layout whose partitions are meant. */
  constructor(file: string, epoch: number) {
    this.#epoch = epoch;
    this.#values = new BigValues(file);
    try {
      for (const { key, at, length } of this.#values.of('events')) {
        const [of, partition, sequence] = decodeKey(key);
        if (of === epoch) this.#placesOf(partition!).records.set(sequence!, { at, length });
      }
      for (const { key, at, length } of this.#values.of('snapshots')) {
        const [of, partition, sequence, piece] = decodeKey(key);
        if (of !== epoch) continue;
        const { pieces } = this.#placesOf(partition!);
        const places = pieces.get(sequence!) ?? [];
        places[piece!] = { at, length };
        pieces.set(sequence!, places);
      }
    } catch (error) {
      this.#values.close();
      throw error;
    }
  }

  #placesOf(partition: number): Places {
    const places = this.#partitions.get(partition) ?? { records: new Map(), pieces: new Map() };
    this.#partitions.set(partition, places);
    return places;
  }

  /** Undefined from the second time on, for another layout, or when the partition has no large values. */
  take(epoch: number, partition: number): UnmappedPartition | undefined {
    if (epoch !== this.#epoch) return undefined;
    const places = this.#partitions.get(partition);
    this.#partitions.delete(partition);
    if (!places) return undefined;
    const read = (place: Place | undefined) => place && this.#values.read(place);
    return {
      record: (sequence) => read(places.records.get(sequence)),
      piece: (sequence, piece) => read(places.pieces.get(sequence)?.[piece]),
    };
  }

  /** Nothing is being read. */
  close(): void {
    this.#partitions.clear();
    this.#values.close();
  }
}
