import { randomUUID } from 'node:crypto';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type {
  DeadLetters,
  Journal,
  JournalEvent,
  JournalOptions,
  PartitionJournal,
  PartitionSurvey,
  Peers,
  Replayed,
  SnapshotSource,
  StoredDeadLetter,
} from '../../src/journal/contract.js';
import {
  decodeRecord,
  EMPTY_RECORD,
  encodePiece,
  encodeRecord,
  type JournalEntry,
  type JournalRecord,
  ROWS_PER_PIECE,
} from '../../src/journal/record.js';
import { type DeadLetter, isMeant } from '../../src/model/dead-letter.js';
import { ReporterError } from '../../src/model/errors.js';
import { compareKeys, RowBatch, TAG, unpackRow, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import { keyOf } from '../model/samples.js';

/** What an entry does to the dead letters of its partition. */
interface Settled {
  readonly at: number;
  readonly refused: readonly (Omit<StoredDeadLetter, 'deadLetter'> & Pick<DeadLetter, 'code' | 'message'>)[];
  /** Keys as text. */
  readonly released: readonly string[];
}

/** One message of a log. Rows carry numbers of the process that wrote it; `senders` says what they mean. */
interface Message {
  readonly sequence: number;
  /** Undefined: it says something about dead letters only. */
  bytes: Uint8Array | undefined;
  readonly senders: ReadonlyMap<number, string>;
  readonly settled: Settled;
}

interface Log {
  /** Who may append: the last one that has replayed. */
  owner: number;
  base: { readonly sequence: number; readonly batchId: number };
  pieces: Message[];
  deadLetters: ReadonlyMap<string, DeadLetter>;
  messages: Message[];
}

/** What outlives a process. */
export class MemoryDisk {
  readonly id = randomUUID();
  readonly logs: Log[] = [];
  readonly quarantine: { readonly at: number; readonly partition: number }[] = [];
}

const NOTHING_SETTLED: Settled = { at: 0, refused: [], released: [] };

/** Numbers of this process alone. */
class MemoryPeers implements Peers {
  readonly #addresses = ['unknown'];

  number(address: string): number {
    const known = this.#addresses.indexOf(address);
    return known >= 0 ? known : this.#addresses.push(address) - 1;
  }

  address(number: number): string {
    return this.#addresses[number] ?? 'unknown';
  }

  /** What the rows' numbers mean here. */
  sendersOf(words: Int32Array): ReadonlyMap<number, string> {
    const senders = new Map<number, string>();
    for (let at = TAG; at < words.length; at += WORDS_PER_ROW)
      senders.set(words[at]! >>> 1, this.address(words[at]! >>> 1));
    return senders;
  }

  /** The same rows with numbers of this process. */
  renumbered(rows: Int32Array, senders: ReadonlyMap<number, string>): Int32Array {
    const words = rows.slice();
    for (let at = TAG; at < words.length; at += WORDS_PER_ROW)
      words[at] = (this.number(senders.get(words[at]! >>> 1) ?? 'unknown') << 1) | (words[at]! & 1);
    return words;
  }
}

/**
 * A journal as a replicated engine would be one: nothing is read at once, numbers of senders are those of the process,
 * dead letters are known by replay alone, whoever replays a partition takes it from whoever had it before, and the
 * number of partitions is fixed.
 */
export class MemoryJournal implements Journal {
  readonly peers = new MemoryPeers();
  readonly layout;
  readonly #disk: MemoryDisk;
  readonly #options: Omit<JournalOptions, 'dir'>;
  readonly #partitions: MemoryPartition[];
  #isClosed = false;
  #retrying = 0;

  constructor(disk: MemoryDisk, options: Omit<JournalOptions, 'dir'>) {
    this.#disk = disk;
    this.#options = options;
    for (let left = disk.logs.length > 0 ? 0 : options.writers; left > 0; left--)
      disk.logs.push({
        ...{ owner: 0, base: { sequence: 0, batchId: 0 }, pieces: [], messages: [] },
        deadLetters: new Map(),
      });
    this.layout = { writers: disk.logs.length };
    this.#partitions = disk.logs.map((log, index) => new MemoryPartition(this, log, index));
  }

  get id(): string {
    return this.#disk.id;
  }

  get quarantined(): number {
    return this.#disk.quarantine.length;
  }

  readonly deadLetters: DeadLetters = this.#deadLetters();

  #deadLetters(): DeadLetters {
    const found = () =>
      this.#partitions
        .flatMap((partition) => [...partition.deadLetters.values()])
        .map((deadLetter) => ({ deadLetter, key: RowBatch.from([deadLetter.row]).words }))
        .sort((a, b) => compareKeys(a.key, 0, b.key, 0));
    const size = () => found().length;
    const requireOpen = () => this.requireOpen();
    return {
      get size() {
        return size();
      },
      async *read(filter) {
        let last: Int32Array | undefined;
        for (;;) {
          await turn();
          requireOpen();
          const behind = found().filter(({ key }) => !last || compareKeys(key, 0, last, 0) > 0);
          last = behind.slice(0, 10).at(-1)?.key;
          if (!last) return;
          const meant = behind.slice(0, 10).filter(({ deadLetter }) => isMeant(deadLetter, filter));
          if (meant.length > 0) yield meant.map(({ deadLetter }) => deadLetter);
        }
      },
    };
  }

  partition(index: number): MemoryPartition {
    return this.#partitions[index]!;
  }

  async survey(index: number, onEvent: (event: JournalEvent) => void): Promise<PartitionSurvey> {
    await turn();
    return this.partition(index).survey(onEvent);
  }

  async relayout(): Promise<void> {
    throw new ReporterError('JOURNAL_UNUSABLE', 'the partitions of this journal are fixed: make a new one');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await turn();
  }

  requireOpen(): void {
    if (this.#isClosed) throw new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
  }

  /** What a disk makes of the bytes. */
  stored(bytes: Uint8Array, kind: 'record' | 'piece', partition: number, sequence: number): Uint8Array {
    return Uint8Array.from(this.#options.faults?.onStore?.(bytes, { kind, partition, sequence }) ?? bytes);
  }

  quarantine(partition: number, sequence: number, error: Error): void {
    this.#disk.quarantine.push({ at: Date.now(), partition });
    this.#options.events.emit({ type: 'quarantined', partition, sequence, error });
  }

  quarantinedAt(index: number): number {
    return this.#disk.quarantine.filter(({ partition }) => partition === index).at(-1)?.at ?? 0;
  }

  /** Has a majority agree, as often as it takes. */
  async commit(write: () => void): Promise<void> {
    const { events, faults } = this.#options;
    const started = performance.now();
    for (let failures = 0; ; failures++) {
      await turn();
      this.requireOpen();
      try {
        await faults?.beforeCommit?.();
      } catch (error) {
        if (failures === 0 && this.#retrying++ === 0)
          events.emit({ type: 'journal-state', state: 'failing', error: error as Error });
        await sleep(1);
        continue;
      }
      this.requireOpen();
      write();
      events.emit({ type: 'journal-synced', seconds: (performance.now() - started) / 1000 });
      if (failures > 0 && --this.#retrying === 0) events.emit({ type: 'journal-state', state: 'ok' });
      return;
    }
  }
}

class MemoryPartition implements PartitionJournal {
  deadLetters = new Map<string, DeadLetter>();
  readonly #journal: MemoryJournal;
  readonly #log: Log;
  readonly #index: number;
  #owner = 0;

  constructor(journal: MemoryJournal, log: Log, index: number) {
    this.#journal = journal;
    this.#log = log;
    this.#index = index;
  }

  get sinceSnapshot() {
    const records = this.#log.messages.filter(({ bytes }) => bytes);
    return { events: records.length, bytes: sizeOf(records) };
  }

  get bytes() {
    return sizeOf(this.#log.messages) + sizeOf(this.#log.pieces);
  }

  async *replay(): AsyncGenerator<Replayed> {
    await turn();
    this.#owner = ++this.#log.owner;
    const { base, pieces, messages } = this.#log;
    this.deadLetters = new Map(this.#log.deadLetters);
    for (const { settled } of messages) this.#settle(settled);
    yield { sequence: base.sequence, event: { kind: 'base', batchId: base.batchId } };
    for (const piece of pieces) {
      await turn();
      const record = this.#recordOf(piece);
      if (record) yield { sequence: base.sequence, event: { kind: 'rows', rows: record.rows } };
    }
    for (const message of messages) {
      await turn();
      const record = message.bytes && this.#recordOf(message);
      if (record) yield { sequence: message.sequence, event: { kind: 'record', record } };
    }
  }

  #recordOf(message: Message): JournalRecord | undefined {
    try {
      return this.#decoded(message);
    } catch (error) {
      message.bytes = message.settled === NOTHING_SETTLED ? encodePiece(new Int32Array(0)) : undefined;
      this.#journal.quarantine(this.#index, message.sequence, error as Error);
      return undefined;
    }
  }

  #decoded({ bytes, senders }: Message): JournalRecord {
    const record = decodeRecord(bytes!);
    return { ...record, rows: this.#journal.peers.renumbered(record.rows, senders) };
  }

  /** Nobody can take it away. */
  displaced(): undefined {}

  async append(sequence: number, { record, refusals, released = [] }: JournalEntry): Promise<void> {
    const { peers } = this.#journal;
    const confirmed = keysOf(record.confirmed);
    const refused = refusals
      .filter(({ words }) => !confirmed.includes(keyOf(words)))
      .map(({ words, ...why }) => ({ words: words.slice(), ...why }));
    const settled = {
      at: record.at,
      refused,
      released: [...confirmed, ...released.map((key) => keyOf(key))],
    };
    const words = [record.rows, ...refused.map((refusal) => refusal.words)];
    const senders = new Map(words.flatMap((some) => [...peers.sendersOf(some)]));
    const bytes = this.#journal.stored(encodeRecord(record), 'record', this.#index, sequence);
    await this.#publish({ sequence, bytes, senders, settled });
  }

  async release(keys: readonly Int32Array[]): Promise<void> {
    const settled = { ...NOTHING_SETTLED, released: keys.map((key) => keyOf(key)) };
    await this.#publish({ sequence: 0, bytes: undefined, senders: new Map(), settled });
  }

  async #publish(message: Message): Promise<void> {
    await this.#commit(() => this.#log.messages.push(message));
    this.#settle(message.settled);
  }

  #commit(write: () => void): Promise<void> {
    return this.#journal.commit(() => {
      if (this.#owner === 0 || this.#owner !== this.#log.owner)
        throw new ReporterError('JOURNAL_UNUSABLE', 'the partition belongs to somebody else');
      write();
    });
  }

  #settle({ at, refused, released }: Settled): void {
    for (const key of released) this.deadLetters.delete(key);
    for (const { words, code, message } of refused) {
      const before = this.deadLetters.get(keyOf(words));
      this.deadLetters.set(keyOf(words), {
        row: unpackRow(words, 0),
        peer: this.#journal.peers.address(words[TAG]! >>> 1),
        ...{ code, message, firstAt: before?.firstAt ?? at, lastAt: at, count: (before?.count ?? 0) + 1 },
      });
    }
  }

  async deadLetter(key: Int32Array): Promise<StoredDeadLetter | undefined> {
    await turn();
    this.#journal.requireOpen();
    const deadLetter = this.deadLetters.get(keyOf(key));
    if (!deadLetter) return undefined;
    const { words } = RowBatch.from([deadLetter.row]);
    words[TAG]! |= this.#journal.peers.number(deadLetter.peer) << 1;
    return { deadLetter, words };
  }

  async snapshot(sequence: number, batchId: number, source: SnapshotSource, isStale: () => boolean) {
    // Dead letters are known as of now: that is, as of `sequence`.
    const deadLetters = new Map(this.deadLetters);
    const covered = this.#log.messages.length;
    await turn();
    if (sequence < this.#log.base.sequence) throw new RangeError('a snapshot never covers less');
    if (sequence === this.#log.base.sequence) return true;
    const pieces: Message[] = [];
    for (let slot = 0; slot < source.slotEnd; slot += ROWS_PER_PIECE) {
      if (isStale()) return false;
      const rows = source.copySlots(slot, slot + ROWS_PER_PIECE);
      const senders = this.#journal.peers.sendersOf(rows);
      const bytes = this.#journal.stored(encodePiece(rows), 'piece', this.#index, sequence);
      if (rows.length > 0) pieces.push({ sequence, bytes, senders, settled: NOTHING_SETTLED });
      await turn();
    }
    if (isStale()) return false;
    await this.#commit(() => {
      const messages = this.#log.messages.slice(covered);
      Object.assign(this.#log, { base: { sequence, batchId }, pieces, deadLetters, messages });
    });
    return true;
  }

  async quarantine(sequence: number, error: Error): Promise<void> {
    const message = this.#log.messages.find((one) => one.bytes && one.sequence === sequence);
    if (!message) return;
    await this.#commit(() => {
      const { at, batchId, received } = decodeRecord(message.bytes!);
      message.bytes = encodeRecord({ ...EMPTY_RECORD, at, batchId, received, quarantined: received });
    });
    this.#journal.quarantine(this.#index, sequence, error);
  }

  async quarantinedAt(): Promise<number> {
    await turn();
    return this.#journal.quarantinedAt(this.#index);
  }

  survey(onEvent: (event: JournalEvent) => void): PartitionSurvey {
    const { base, pieces, messages } = this.#log;
    const records = messages.filter(({ bytes }) => bytes);
    const problems: { place: string; problem: string }[] = [];
    const read = (message: Message, use: (record: JournalRecord) => void) => {
      try {
        use(this.#decoded(message));
      } catch (error) {
        const place = `partition ${this.#index}, record ${message.sequence}`;
        problems.push({ place, problem: (error as Error).message });
      }
    };
    let rows = 0;
    onEvent({ kind: 'base', batchId: base.batchId });
    for (const piece of pieces)
      read(piece, (record) => {
        rows += record.rows.length / WORDS_PER_ROW;
        onEvent({ kind: 'rows', rows: record.rows });
      });
    for (const message of records) read(message, (record) => onEvent({ kind: 'record', record }));
    const last = records.at(-1)?.sequence;
    return {
      ...{ partition: this.#index, leftovers: 0, problems, lastSequence: last ?? base.sequence },
      head: { ...base, pieces: pieces.length },
      snapshot: { pieces: pieces.length, rows, bytes: sizeOf(pieces) },
      records: { count: records.length, bytes: sizeOf(records), first: records[0]?.sequence, last },
    };
  }
}

const sizeOf = (messages: readonly Message[]) =>
  messages.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);

function keysOf(packed: Int32Array): string[] {
  const keys: string[] = [];
  for (let at = 0; at < packed.length; at += WORDS_PER_KEY) keys.push(keyOf(packed, at));
  return keys;
}
