import type { Report } from '../model/report.js';
import { compareKeys, type Row, type RowBatch, WORDS_PER_ROW } from '../model/row.js';
import type { Store, StoreLane, StoreWriter } from '../store/contract.js';
import { keyOf, type RowKey, rowsOf } from './rows.js';
import { describe, Numbers, type RowValue, type Sequence, Values } from './sequence.js';

/** What an order checker may rely on. */
export interface OrderCheckerOptions {
  /**
   * Promises that senders number the reports of each key in `succ`, rising, and tells whether all else of a row is
   * what is sent with its number. Memory does not grow with what is sent then. `isNumbered` is that of `startFleet`.
   */
  readonly numbered?: (value: RowValue) => boolean;
}

/** What is compared at the end. */
export interface VerifyOptions {
  /** What the store holds at the end; what it was seen to take unless given. */
  readonly rows?: Iterable<Row>;
  /** Keys that may be missing or not at their last value: those of dead letters. */
  readonly exempt?: Iterable<RowKey>;
}

/** Violations that are kept as texts; all are counted. */
const KEPT = 20;
/** Violations that the message of an error names. */
const NAMED = 5;

/** What was found wrong. */
export class OrderError extends Error {
  /** One text a violation: the first twenty that were seen, and the first twenty that show at the end. */
  readonly violations: readonly string[];

  constructor(violations: readonly string[], count: number) {
    const named = violations.slice(0, NAMED);
    const more = count - named.length;
    super(`${count} violations: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`);
    this.name = 'OrderError';
    this.violations = violations;
  }
}

/** What is known of a key. */
interface Key {
  readonly sent: Sequence;
  /** What the store took last; undefined: nothing yet. */
  final: RowValue | undefined;
}

/**
 * Knows what was sent, watches what is written, and finds what must never be:
 *
 * - a key that goes back: a value written that was sent before the one written last
 * - a value written that was never sent, or not for this key
 * - a statement whose rows are not in primary-key order, or that names a key twice
 * - a second statement in flight in a partition
 * - at the end: a key whose value is not the one sent last, or that is missing
 *
 *     const order = new OrderChecker();
 *     const store = order.watch(new MemoryStore());
 *     const reporter = await startReporter(config, { store });
 *     order.sent(report); // before it is sent
 *     await reporter.report(report);
 *     await until(() => reporter.ledger().pending === 0, { boundMs: 5000, what: 'the rows to be stored' });
 *     order.verify(); // throws OrderError
 *
 * A value is the whole of succ, err, ts and overload. Order is that in which `sent` was called, so a key has one
 * sender at a time, and a sender whose connection is lost goes on with values that are not older.
 *
 * **Values that repeat.** A write counts as the earliest sending of its value that is not before the last write.
 * So what is in order is never blamed; but after A, B, A a step back from B to A cannot be told from going on, nor
 * the first A from the last one at the end. Give each report of a key a value of its own, and nothing escapes:
 * `startFleet` does.
 *
 * A statement that is rejected counts as written, because it may have been: a writer that has asked for a newer
 * value never asks for an older one again. Only what was confirmed can be a final value.
 *
 * For each key the values from the last write on are kept: what an outage sends. See `numbered` for senders that
 * send much.
 */
export class OrderChecker {
  readonly #options: OrderCheckerOptions;
  readonly #keys = new Map<string, Key>();
  /** What was written last of keys that nobody had sent by then. */
  readonly #strays = new Map<string, RowValue>();
  readonly #violations: string[] = [];
  #found = 0;
  #writes = 0;

  constructor(options: OrderCheckerOptions = {}) {
    this.#options = options;
  }

  /** What was found so far, the first twenty. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Keys that were sent. */
  get keys(): number {
    return this.#keys.size;
  }

  /** Rows that were seen being written. */
  get writes(): number {
    return this.#writes;
  }

  /**
   * A report is about to be sent. Call it before the report can arrive, in the order of sending. Throws RangeError
   * when reports are `numbered` and this one breaks that promise.
   */
  sent(report: Report): void {
    for (const row of rowsOf(report)) {
      const name = keyOf(row);
      let key = this.#keys.get(name);
      if (!key) {
        const { numbered } = this.#options;
        key = { sent: numbered ? new Numbers(numbered) : new Values(), final: this.#strays.get(name) };
        this.#keys.set(name, key);
      }
      key.sent.add(row);
    }
  }

  /**
   * The same store, every statement of which is watched. Around a `FaultyStore` it sees what the writers ask for;
   * inside one, as its `inner`, what takes effect, which is where a broken fence shows. Both at once is fine, too.
   */
  watch(store: Store): Store {
    const inFlight = new Map<string, number>();
    return {
      get description() {
        return store.description;
      },
      open: () => store.open(),
      check: () => store.check(),
      writer: (lane) => this.#watched(store.writer(lane), lane, inFlight),
      ...(store.read ? { read: store.read } : {}),
      close: () => store.close(),
    };
  }

  /**
   * Rows that took effect, in this order, as somebody else saw them: a trigger in the database, a log. Statements
   * are not checked then, only values.
   */
  wrote(rows: Iterable<Row>): void {
    for (const row of rows) {
      this.#write(row);
      this.#confirm(row);
    }
  }

  /**
   * To be called when everything is stored. Throws OrderError that lists what was found so far, and keys that are
   * missing or not at the last value sent.
   */
  verify({ rows, exempt = [] }: VerifyOptions = {}): void {
    const all = [...this.#violations];
    let found = this.#found;
    const add = (violation: string) => {
      if (++found <= this.#found + KEPT) all.push(violation);
    };
    const stored = rows ? new Map(Array.from(rows, (row) => [keyOf(row), row])) : undefined;
    const spared = new Set(Array.from(exempt, keyOf));
    for (const [name, key] of this.#keys) {
      if (spared.has(name)) continue;
      const final = stored ? stored.get(name) : key.final;
      if (!final) add(`${name} was sent and is missing`);
      else if (!key.sent.isLast(final))
        add(`${name} ended at ${describe(final)}, sent last was ${key.sent.last}`);
    }
    for (const name of stored?.keys() ?? [])
      if (!this.#keys.has(name)) add(`${name} is stored and was never sent`);
    if (found > 0) throw new OrderError(all, found);
  }

  #watched(writer: StoreWriter, lane: StoreLane, inFlight: Map<string, number>): StoreWriter {
    const name = `${lane.journalId}/${lane.partition}`;
    return {
      upsert: async (rows) => {
        const others = inFlight.get(name) ?? 0;
        if (others > 0) this.#violate(`partition ${lane.partition} has ${others + 1} statements in flight`);
        inFlight.set(name, others + 1);
        this.#checkStatement(rows);
        for (const row of rows) this.#write(row);
        try {
          await writer.upsert(rows);
          for (const row of rows) this.#confirm(row);
        } finally {
          inFlight.set(name, inFlight.get(name)! - 1);
        }
      },
      abandon: () => writer.abandon?.(),
      close: () => writer.close(),
    };
  }

  #checkStatement({ words }: RowBatch): void {
    for (let at = WORDS_PER_ROW; at < words.length; at += WORDS_PER_ROW) {
      const order = compareKeys(words, at - WORDS_PER_ROW, words, at);
      if (order < 0) continue;
      const key = words.subarray(at, at + 5).join('/');
      this.#violate(
        order === 0 ? `${key} stands in a statement twice` : `${key} is out of primary-key order`,
      );
    }
  }

  #write(row: Row): void {
    this.#writes++;
    const name = keyOf(row);
    const place = this.#keys.get(name)?.sent.write(row) ?? 'unknown';
    if (place === 'back') this.#violate(`${name} went back to ${describe(row)}`);
    if (place === 'unknown') this.#violate(`${name} was written with ${describe(row)}, which was never sent`);
  }

  #confirm(row: Row): void {
    const key = this.#keys.get(keyOf(row));
    if (key) key.final = row;
    else this.#strays.set(keyOf(row), row);
  }

  #violate(violation: string): void {
    if (++this.#found <= KEPT) this.#violations.push(violation);
  }
}
