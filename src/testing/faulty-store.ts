import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { StoreError, type StoreErrorClass } from '../model/errors.js';
import type { Row, RowBatch } from '../model/row.js';
import type { Store, StoreLane, StoreReader, StoreWriter } from '../store/contract.js';
import { MemoryStore } from './memory-store.js';
import { seeded } from './random.js';
import { keyOf } from './rows.js';

/** What a faulty store stands around. */
export interface FaultyStoreOptions {
  /** What takes the rows in the end; a `MemoryStore` unless given. */
  readonly inner?: Store;
  /** Longest time that a statement hangs before it is given up, in milliseconds. Default 5000. */
  readonly hangMs?: number;
}

/** Which statements a fault is for. */
export interface FaultScope {
  /** Those of one partition; of all unless given. */
  readonly partition?: number;
  /** So many of them; all until `heal` unless given. */
  readonly times?: number;
}

/** Shares of the statements, each 0 … 1 and 0 unless given. */
export interface RandomFaults {
  readonly seed: number;
  /** That fail before they take effect. */
  readonly fail?: number;
  /** That take effect and whose confirmation is lost. */
  readonly lose?: number;
  /** That hang, for `hangMs` at most. */
  readonly hang?: number;
  /** Of rows that are rejected, instead of statements: the same values each time, with class `poison`. */
  readonly reject?: number;
  /** Longest pause before each statement, in milliseconds; its length is random, too. */
  readonly slowMs?: number;
}

/** Called for a statement; what it throws (a StoreError) its writer gets. */
export type StatementHook = (rows: RowBatch, lane: StoreLane) => void | Promise<void>;

/** How `release` ends statements that hang. */
export type Release =
  /** They are rejected and never take effect. */
  | 'give-up'
  /** They go on as if nothing had been. */
  | 'go-on';

type Kind = 'fail' | 'hang' | 'slow' | 'lose';

interface Fault {
  readonly kind: Kind;
  readonly partition: number | undefined;
  times: number;
  readonly error?: () => StoreError;
  readonly ms?: number;
}

/** A statement that was given up and that a broken store will carry out later. */
type Late = () => Promise<void>;

/**
 * A store that fails as it is told, or at random: in memory, or around another store.
 *
 *     const store = new FaultyStore();
 *     const reporter = await startReporter(config, { store });
 *     store.fail('retry'); // away, until heal()
 *     await reporter.report(report); // journaled all the same
 *     store.heal();
 *     await until(() => store.rows.size === report.results.length, { boundMs: 5000, what: 'the rows' });
 *
 * Faults add up; each statement meets them in this order: slow, `before`, fail, hang, rejected rows; then it takes
 * effect; then `after`, lost confirmations. It keeps the contract of `Store` whatever it is told: a statement
 * that hangs is given up within `hangMs` and has no effect later. Only `breakFence` makes it break that contract, so
 * that a checker can be seen to notice.
 */
export class FaultyStore implements Store {
  /** Called before a statement takes effect, for faults of your own. */
  before: StatementHook | undefined;
  /** Called when a statement took effect, before it is confirmed. */
  after: StatementHook | undefined;
  /** That of the inner store, if it has one. */
  readonly read?: StoreReader;
  readonly #inner: Store;
  readonly #hangMs: number;
  readonly #rows = new Map<string, Row>();
  readonly #late = new Map<number, Late[]>();
  #hung: ((release: Release) => void)[] = [];
  #faults: Fault[] = [];
  #rejected: { is: (row: Row) => boolean; error: (row: Row) => StoreError }[] = [];
  #random: (RandomFaults & { readonly next: () => number }) | undefined;
  #isFenceBroken = false;
  #statements = 0;
  #taken = 0;

  constructor({ inner = new MemoryStore(), hangMs = 5000 }: FaultyStoreOptions = {}) {
    this.#inner = inner;
    if (inner.read) this.read = inner.read;
    this.#hangMs = hangMs;
  }

  get description(): string {
    return `faulty ${this.#inner.description}`;
  }

  /** What took effect through this store: the newest row of each key, by `keyOf`. */
  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  /** Rows that took effect in all. */
  get taken(): number {
    return this.#taken;
  }

  /** Statements that came so far. */
  get statements(): number {
    return this.#statements;
  }

  /** Statements that hang now. */
  get hanging(): number {
    return this.#hung.length;
  }

  /**
   * Statements fail before they have an effect: with this error, or with one of this class (`retry` unless given,
   * as if the store were away). `open` and `check` fail, too, without counting as one of `times`.
   */
  fail(error: StoreError | StoreErrorClass = 'retry', scope: FaultScope = {}): void {
    const make = typeof error === 'string' ? () => failureOf(error) : () => error;
    this.#add('fail', scope, { error: make });
  }

  /** Statements hang until `release` or `heal`, or until `hangMs` have passed: they are given up then. */
  hang(scope: FaultScope = {}): void {
    this.#add('hang', scope);
  }

  /** Ends the hanging of statements that hang now; those that come later hang still, if they were told to. */
  release(how: Release = 'give-up'): void {
    for (const end of this.#hung.splice(0)) end(how);
  }

  /** Statements wait so many milliseconds before anything else. */
  slow(ms: number, scope: FaultScope = {}): void {
    this.#add('slow', scope, { ms });
  }

  /** Statements take effect, and are rejected as if the connection had been lost before the confirmation. */
  loseConfirmations(scope: FaultScope = {}): void {
    this.#add('lose', scope);
  }

  /**
   * Statements with such a row fail as a whole, without effect, as a database rejects them: with class `poison`, or
   * with the error given.
   */
  reject(is: (row: Row) => boolean, error: (row: Row) => StoreError = rejectionOf): void {
    this.#rejected.push({ is, error });
  }

  /**
   * Faults at random, until `heal` or the next call; the seed repeats them as far as statements come in the same
   * order. Throws RangeError for shares that are not between 0 and 1.
   */
  atRandom(faults: RandomFaults): void {
    for (const name of ['fail', 'lose', 'hang', 'reject'] as const) {
      const share = faults[name] ?? 0;
      if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} is ${share}: give a share from 0 to 1`);
    }
    this.#random = { ...faults, next: seeded(faults.seed) };
  }

  /**
   * Breaks the contract of `Store`, until `heal`: a statement that is given up takes effect after all, right after
   * the next one of its partition has. No reporter can be right on such a store; a checker must report it.
   */
  breakFence(): void {
    this.#isFenceBroken = true;
  }

  /** Ends all faults; statements that hang are given up. */
  heal(): void {
    this.#faults = [];
    this.#rejected = [];
    this.#random = undefined;
    this.before = undefined;
    this.after = undefined;
    this.release();
    this.#isFenceBroken = false;
    this.#late.clear();
  }

  async open(): Promise<void> {
    await this.#inner.open();
    this.#failIfAway();
  }

  async check(): Promise<void> {
    this.#failIfAway();
    await this.#inner.check();
  }

  async close(): Promise<void> {
    this.release();
    await this.#inner.close();
  }

  writer(lane: StoreLane): StoreWriter {
    const writer = this.#inner.writer(lane);
    return {
      upsert: (rows) => this.#upsert(writer, rows, lane),
      abandon: () => writer.abandon?.(),
      close: () => writer.close(),
    };
  }

  async #upsert(writer: StoreWriter, rows: RowBatch, lane: StoreLane): Promise<void> {
    this.#statements++;
    const random = this.#random;
    const draw = (share: number | undefined) => share !== undefined && random!.next() < share;
    const slowMs = (this.#meet('slow', lane)?.ms ?? 0) + (random?.slowMs ? random.next() * random.slowMs : 0);
    if (slowMs > 0) await sleep(slowMs);
    await this.before?.(rows, lane);
    const failure =
      this.#meet('fail', lane)?.error?.() ?? (draw(random?.fail) ? failureOf('retry') : undefined);
    if (failure) throw failure;
    if (this.#meet('hang', lane) || draw(random?.hang)) await this.#hang(writer, rows, lane);
    this.#reject(rows);
    await this.#apply(writer, rows);
    await this.#applyLate(lane);
    await this.after?.(rows, lane);
    if (this.#meet('lose', lane) || draw(random?.lose)) {
      throw new StoreError('retry', 'ECONNRESET', 'the connection was lost before the confirmation', {
        maybeApplied: true,
      });
    }
  }

  #reject(rows: RowBatch): void {
    const { seed = 0, reject = 0 } = this.#random ?? {};
    if (this.#rejected.length === 0 && reject === 0) return;
    for (const row of rows) {
      const rejection = this.#rejected.find(({ is }) => is(row));
      if (rejection) throw rejection.error(row);
      if (reject > 0 && shareOf(row, seed) < reject) throw rejectionOf(row);
    }
  }

  /** Resolves when the statement goes on; rejects when it is given up. */
  async #hang(writer: StoreWriter, rows: RowBatch, { partition }: StoreLane): Promise<void> {
    const how = await new Promise<Release>((resolve) => {
      const timer = setTimeout(() => {
        this.#hung = this.#hung.filter((other) => other !== end);
        resolve('give-up');
      }, this.#hangMs);
      const end = (release: Release) => {
        clearTimeout(timer);
        resolve(release);
      };
      this.#hung.push(end);
    });
    if (how === 'go-on') return;
    if (this.#isFenceBroken) {
      const late = this.#late.get(partition) ?? [];
      this.#late.set(partition, [...late, () => this.#apply(writer, rows)]);
    }
    throw new StoreError('retry', 'ETIMEDOUT', 'a statement hung and was given up', { maybeApplied: true });
  }

  async #apply(writer: StoreWriter, rows: RowBatch): Promise<void> {
    await writer.upsert(rows);
    for (const row of rows) this.#rows.set(keyOf(row), row);
    this.#taken += rows.length;
  }

  async #applyLate({ partition }: StoreLane): Promise<void> {
    const late = this.#late.get(partition) ?? [];
    this.#late.delete(partition);
    for (const apply of late) await apply();
  }

  #failIfAway(): void {
    const fault = this.#faults.find(({ kind, times }) => kind === 'fail' && times > 0);
    if (fault) throw fault.error!();
  }

  #add(
    kind: Kind,
    { partition, times = Number.POSITIVE_INFINITY }: FaultScope,
    more: Partial<Fault> = {},
  ): void {
    this.#faults.push({ ...more, kind, partition, times });
  }

  /** The fault of this kind that a statement meets now, if any. */
  #meet(kind: Kind, lane: StoreLane): Fault | undefined {
    const fault = this.#faults.find(
      (each) => each.kind === kind && each.times > 0 && (each.partition ?? lane.partition) === lane.partition,
    );
    if (fault) fault.times--;
    return fault;
  }
}

function rejectionOf(row: Row): StoreError {
  return new StoreError('poison', 'ER_REFUSED', `row ${keyOf(row)} is rejected`);
}

/** A number in [0, 1) that belongs to a row's key and value. */
function shareOf(row: Row, seed: number): number {
  return seeded(crc32(`${keyOf(row)} ${row.succ} ${row.err} ${row.ts} ${row.overload}`, seed >>> 0))();
}

function failureOf(errorClass: StoreErrorClass): StoreError {
  return new StoreError(errorClass, CODES[errorClass], 'the store fails as it was told to');
}

/** The codes that databases give in such a case. */
const CODES: Record<StoreErrorClass, string> = {
  retry: 'ECONNREFUSED',
  'retry-slowly': 'ER_OPTION_PREVENTS_STATEMENT',
  'too-large': 'ER_NET_PACKET_TOO_LARGE',
  poison: 'ER_DATA_OUT_OF_RANGE',
  configuration: 'ER_ACCESS_DENIED_ERROR',
};
