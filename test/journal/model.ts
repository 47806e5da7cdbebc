import { partitionOf } from '../../src/index.js';
import { keyOf, pack } from '../model/samples.js';

/** Keys that the check is made with: few, so that they meet. */
export const KEYS = Array.from({ length: 12 }, (_, index) => ({
  modid: index % 6,
  cmdid: Math.floor(index / 6),
}));

/** What one append says, by numbers of keys. */
export interface Change {
  readonly rows: readonly number[];
  readonly confirmed: readonly number[];
  readonly refused: readonly number[];
}

/** A change as it goes to one partition: values by key, as `succ`. */
export interface Entry {
  readonly rows: ReadonlyMap<number, number>;
  readonly confirmed: readonly number[];
  readonly refused: ReadonlyMap<number, number>;
}

interface Event extends Entry {
  readonly sequence: number;
  readonly batchId: number;
  readonly isTorn: boolean;
}

export const keyName = (key: number): string => keyOf(pack(KEYS[key]!));
export const partitionOfKey = (key: number, partitions: number): number =>
  partitionOf(KEYS[key]!.modid, KEYS[key]!.cmdid, partitions);

/** What one partition of the journal must hold: plain maps and lists. */
export class PartitionModel {
  /** What the snapshot holds. */
  base = new Map<number, number>();
  baseSequence = 0;
  baseBatchId = 0;
  isBaseTorn = false;
  events: Event[] = [];
  /** What its writer holds in memory, torn or not. */
  live = new Map<number, number>();
  sequence = 0;
  batchId = 0;

  /** A record was appended. */
  append(entry: Entry, batchId: number, isTorn: boolean): void {
    this.events.push({ ...entry, sequence: ++this.sequence, batchId, isTorn });
    if (batchId > 0) this.batchId = batchId;
    apply(this.live, entry);
  }

  /** A snapshot was published that covers records up to `sequence`, and holds what was pending then or later. */
  published(sequence: number, batchId: number, rows: ReadonlyMap<number, number>, isTorn: boolean): void {
    this.base = new Map(rows);
    this.isBaseTorn = isTorn;
    this.baseSequence = sequence;
    this.baseBatchId = batchId;
    this.events = this.events.filter((event) => event.sequence > sequence);
  }

  /** The writer is rebuilt. Returns how much went into quarantine on the way. */
  replayed(): number {
    const torn = this.events.filter(({ isTorn }) => isTorn).length + (this.isBaseTorn ? 1 : 0);
    if (this.isBaseTorn) this.base = new Map();
    this.isBaseTorn = false;
    this.events = this.events.filter(({ isTorn }) => !isTorn);
    this.live = new Map(this.base);
    for (const event of this.events) apply(this.live, event);
    this.sequence = this.events.at(-1)?.sequence ?? this.baseSequence;
    this.batchId = this.events.reduce((last, { batchId }) => batchId || last, this.baseBatchId);
    return torn;
  }

  /** A record was put into quarantine; its batch stays known if it can be read. Returns whether there was one. */
  quarantined(sequence: number): boolean {
    const at = this.events.findIndex((event) => event.sequence === sequence);
    const event = this.events[at];
    if (!event) return false;
    const rest = { ...event, rows: new Map(), confirmed: [], refused: new Map() };
    this.events.splice(at, 1, ...(event.isTorn ? [] : [rest]));
    return true;
  }
}

function apply(map: Map<number, number>, { rows, confirmed, refused }: Entry): void {
  for (const key of [...confirmed, ...refused.keys()]) map.delete(key);
  for (const [key, value] of rows) map.set(key, value);
}

/** The whole journal. */
export class JournalModel {
  partitions: PartitionModel[];
  readonly letters = new Map<number, { value: number; count: number }>();
  quarantined = 0;
  /** Values rise, so that each is told from every other. */
  #value = 0;
  /** What the disk has been told to store torn next. */
  readonly toTear = { record: 0, piece: 0 };

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => new PartitionModel());
  }

  /** Whether what is stored now is stored torn. */
  tears(kind: 'record' | 'piece'): boolean {
    if (this.toTear[kind] === 0) return false;
    this.toTear[kind]--;
    return true;
  }

  /** A change, divided by partition, with new values. */
  entriesOf({ rows, confirmed, refused }: Change): Map<number, Entry> {
    const count = this.partitions.length;
    const own = (keys: readonly number[], partition: number) =>
      [...new Set(keys)].filter((key) => partitionOfKey(key, count) === partition);
    const entries = new Map<number, Entry>();
    for (let partition = 0; partition < count; partition++) {
      const valued = (keys: readonly number[]) =>
        new Map(own(keys, partition).map((key) => [key, ++this.#value]));
      const entry = {
        rows: valued(rows),
        confirmed: own(confirmed, partition),
        refused: valued(refused),
      };
      if (entry.rows.size + entry.confirmed.length + entry.refused.size > 0) entries.set(partition, entry);
    }
    return entries;
  }

  appended(partition: number, entry: Entry, batchId: number): void {
    this.partitions[partition]!.append(entry, batchId, this.tears('record'));
    for (const key of entry.confirmed) this.letters.delete(key);
    for (const [key, value] of entry.refused) {
      if (entry.confirmed.includes(key)) continue;
      this.letters.set(key, { value, count: (this.letters.get(key)?.count ?? 0) + 1 });
    }
  }

  replayed(): void {
    for (const partition of this.partitions) this.quarantined += partition.replayed();
  }

  /** All that is pending was moved to so many partitions. */
  moved(partitions: number): void {
    const pending = new Map(this.partitions.flatMap(({ live }) => [...live]));
    this.partitions = Array.from({ length: partitions }, () => new PartitionModel());
    for (const [key, value] of pending)
      this.partitions[partitionOfKey(key, partitions)]!.base.set(key, value);
    for (const partition of this.partitions) partition.replayed();
  }
}

/** The number of the batch that an entry carries; 0 when it only confirms or refuses. */
export function expectedBatch({ batchId }: PartitionModel, { rows }: Entry): number {
  return rows.size > 0 ? batchId + 1 : 0;
}
