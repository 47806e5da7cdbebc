import { ReporterError } from '../../model/errors.js';
import { Turn } from '../../model/turn.js';
import type { PartitionJournal, Replayed, SnapshotSource, StoredDeadLetter } from '../contract.js';
import { type JournalEntry, type JournalRecord, remainderOf } from '../record.js';
import { Chain } from './chain.js';
import { PartitionLetters } from './dead-letters.js';
import {
  decodeEntry,
  decodeRelease,
  encodeEntry,
  encodeRelease,
  type Settling,
  settlingOf,
} from './entry.js';
import type { Place } from './log-place.js';
import type { Whole } from './log-reader.js';
import { readWhole, walkLog } from './log-walk.js';
import { Ownership } from './ownership.js';
import { Head, type HeadRecord } from './partition-head.js';
import { PartitionQuarantine } from './partition-quarantine.js';
import { decodeLetters, decodeRows, type Piece, readPieces, writePieces } from './pieces.js';
import { purgeBehind } from './purge.js';
import { RecordIndex } from './record-index.js';

/** One partition, as its owner has it: a replay makes this process the owner. */
export class OwnedPartition implements PartitionJournal {
  readonly letters: PartitionLetters;
  readonly #place: Place;
  readonly #ownership: Ownership;
  readonly #chain: Chain;
  readonly #head: Head;
  readonly #quarantine: PartitionQuarantine;
  readonly #records = new RecordIndex();

  constructor(place: Place) {
    this.#place = place;
    this.letters = new PartitionLetters(place.peers);
    this.#ownership = new Ownership(place.partition);
    this.#chain = new Chain(place, this.#ownership);
    this.#head = new Head(place, this.#ownership);
    this.#quarantine = new PartitionQuarantine(place, this.#ownership, this.#head);
  }

  get sinceSnapshot(): { readonly bytes: number; readonly events: number } {
    return { bytes: this.#records.bytes, events: this.#records.count };
  }

  get bytes(): number {
    return this.#records.bytes + (this.#head.value.snapshot?.bytes ?? 0);
  }

  /** Records and pieces in quarantine. */
  get quarantined(): number {
    return this.#head.value.quarantined;
  }

  /**
   * First the entry of an epoch, so that nobody else appends; then the head, so that nobody else publishes a snapshot, and
   * purges; then everything up to that entry.
   */
  async *replay(): AsyncGenerator<Replayed> {
    this.#place.attempts.requireOpen();
    const to = await this.#chain.begin();
    const head = await this.#head.claim();
    this.#records.clear();
    this.letters.reset(head.lettersAt);
    const turn = new Turn();
    const { sequence: base } = head;
    yield { sequence: base, event: { kind: 'base', batchId: head.batchId } };
    for await (const rows of this.#rows(head)) {
      yield { sequence: base, event: { kind: 'rows', rows } };
      await turn.pause();
    }
    let last = base;
    for await (const met of walkLog(this.#place, head, to)) {
      if (met.kind === 'gap') {
        const error = new ReporterError('JOURNAL_CORRUPT', `messages before ${met.position} are missing`);
        await this.#quarantine.missing(met.position, last + 1, error);
        continue;
      }
      const record = await this.#record(met.whole, head);
      if (!record) continue;
      last = met.whole.label.sequence;
      yield { sequence: last, event: { kind: 'record', record } };
      await turn.pause();
    }
    // What the owner before it had no time to remove.
    void purgeBehind(this.#place, this.#head);
  }

  async *#rows({ snapshot, sequence }: HeadRecord): AsyncGenerator<Int32Array> {
    if (!snapshot) return;
    for await (const piece of readPieces(this.#place, snapshot)) {
      if (this.#head.value.damaged.includes(piece.number)) continue;
      const rows = await this.#piece(piece, sequence);
      if (rows) yield rows;
    }
  }

  /** The rows of a piece; undefined when it holds dead letters, or is damaged, which puts it into quarantine. */
  async #piece({ number, kind, bytes }: Piece, sequence: number): Promise<Int32Array | undefined> {
    try {
      if (!bytes) throw new ReporterError('JOURNAL_CORRUPT', `snapshot piece ${number} is missing`);
      if (kind === 'rows') return decodeRows(bytes, this.#place.peers);
      this.letters.restore(decodeLetters(bytes));
    } catch (error) {
      if (!(error instanceof ReporterError)) throw error;
      await this.#quarantine.piece(number, sequence, bytes, error);
    }
    return undefined;
  }

  /** Settles what an entry says of dead letters. Gives its record; undefined when it has none, or it is damaged. */
  async #record(whole: Whole, head: HeadRecord): Promise<JournalRecord | undefined> {
    const { label, body, position } = whole;
    if (label.kind === 'epoch') return undefined;
    const isSkipped = this.#head.value.skipped.includes(position);
    try {
      if (label.kind === 'release') {
        this.#settle(position, { at: 0, refusals: [], released: decodeRelease(body) });
        return undefined;
      }
      const entry = decodeEntry(body, this.#place.peers);
      if (entry.settling) this.#settle(position, entry.settling);
      if (label.sequence <= head.sequence) return undefined;
      const record = entry.record();
      this.#records.add(label.sequence, whole, body.length);
      return isSkipped ? remainderOf(record) : record;
    } catch (error) {
      if (!(error instanceof ReporterError) || error.code !== 'JOURNAL_CORRUPT') throw error;
      if (!isSkipped) await this.#quarantine.record(position, label.sequence, body, error);
      return undefined;
    }
  }

  /** Unless the snapshot was taken behind it. */
  #settle(position: number, settling: Settling): void {
    if (position > this.letters.position) this.letters.settle(position, settling);
  }

  async append(sequence: number, entry: JournalEntry): Promise<void> {
    const { peers, faults, partition, attempts } = this.#place;
    attempts.requireOpen();
    let settling: Settling | undefined;
    const encode = () => {
      settling = settlingOf(entry, (words, at) => this.letters.has(words, at));
      return encodeEntry(
        entry.record,
        settling,
        peers,
        (bytes) => faults?.onStore?.(bytes, { kind: 'record', partition, sequence }) ?? bytes,
      );
    };
    await this.#chain.append('entry', sequence, encode, (span, bytes) => {
      this.#records.add(sequence, span, bytes);
      this.letters.settle(span.position, settling!);
    });
  }

  /** Nobody can take it from under a process; another owner takes it for good. */
  displaced(): undefined {}

  async deadLetter(key: Int32Array): Promise<StoredDeadLetter | undefined> {
    this.#place.attempts.requireOpen();
    return this.letters.get(key);
  }

  async release(keys: readonly Int32Array[]): Promise<void> {
    this.#place.attempts.requireOpen();
    const released = keys.filter((key) => this.letters.has(key, 0)).map((key) => key.slice());
    if (released.length === 0) return;
    const encode = () => encodeRelease(released);
    await this.#chain.append('release', 0, encode, ({ position }) =>
      this.letters.settle(position, { at: 0, refusals: [], released }),
    );
  }

  async snapshot(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean> {
    this.#place.attempts.requireOpen();
    this.#ownership.require();
    const before = this.#head.value;
    if (sequence < before.sequence) throw new RangeError(`snapshot ${sequence} < ${before.sequence}`);
    if (sequence === before.sequence) return true;
    const { epoch } = this.#ownership;
    const isOver = () => isStale() || epoch !== this.#ownership.epoch;
    const position = this.#records.lastUpTo(sequence) ?? before.position;
    const lettersAt = Math.max(position, this.letters.position);
    const content = { sequence, epoch, source, letters: this.letters.all() };
    const pieces = await writePieces(this.#place, content, isOver);
    if (!pieces || isOver()) return false;
    const isPublished = await this.#head.change(
      (head) => ({
        ...{ sequence, position, batchId, lettersAt, snapshot: pieces.place },
        skipped: head.skipped.filter((one) => one > position),
        damaged: [],
        quarantined: head.quarantined,
        quarantinedAt: head.quarantinedAt,
      }),
      isOver,
    );
    if (!isPublished) return false;
    this.#records.forgetUpTo(sequence);
    await purgeBehind(this.#place, this.#head);
    return true;
  }

  async quarantine(sequence: number, error: Error): Promise<void> {
    this.#place.attempts.requireOpen();
    const span = this.#records.get(sequence);
    if (!span) return;
    const whole = await readWhole(this.#place, span);
    if (whole) await this.#quarantine.record(span.position, sequence, whole.body, error);
  }

  async quarantinedAt(): Promise<number> {
    this.#place.attempts.requireOpen();
    return this.#head.value.quarantinedAt;
  }
}
