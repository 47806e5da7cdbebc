import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalFaults, StoredBytes } from '../journal/faults.js';

/** What a disk makes of bytes that it stores torn. */
export type Damage =
  /** The second half is missing. */
  | 'cut'
  /** One bit, in the middle, is turned round. */
  | 'flip';

/** Which records are stored torn. */
export interface TearOptions {
  /** `cut` unless given. */
  readonly how?: Damage;
  /** A record of the journal, or a piece of a snapshot; `record` unless given. */
  readonly kind?: StoredBytes['kind'];
  /** Of one partition; of any unless given. */
  readonly partition?: number;
  /** How many in a row; one unless given. */
  readonly times?: number;
}

/**
 * The disk under a journal: it fills, fails, is slow, or stores a record torn, as it is told.
 *
 *     const disk = new FaultyDisk();
 *     const reporter = await startReporter(config, { store, journalFaults: disk.faults });
 *     disk.fill();
 *     const journaled = reporter.report(report); // waits
 *     await until(() => reporter.status().journalError, { boundMs: 5000, what: 'the status to show it' });
 *     disk.makeRoom();
 *     await journaled;
 *
 * A commit that fails has changed nothing, and is tried again by the reporter until it succeeds. A torn record is
 * acknowledged like any other, and found when the journal is next read: at a start, or when its writer restarts.
 */
export class FaultyDisk {
  /** To be passed to `startReporter`. */
  readonly faults: JournalFaults = {
    beforeCommit: () => this.#beforeCommit(),
    onStore: (bytes, what) => this.#onStore(bytes, what),
  };
  #isFull = false;
  #toPass = 0;
  #toFail = 0;
  #slowMs = 0;
  #tears: { how: Damage; kind: StoredBytes['kind']; partition: number | undefined; times: number }[] = [];
  #failures = 0;
  #torn: StoredBytes[] = [];

  /** Commits that have failed so far. */
  get failures(): number {
    return this.#failures;
  }

  /** What was stored torn so far, in order. */
  get torn(): readonly StoredBytes[] {
    return this.#torn;
  }

  /** No commit succeeds any more, each fails with ENOSPC, until `makeRoom`. */
  fill(): void {
    this.#isFull = true;
  }

  /** Ends `fill`. */
  makeRoom(): void {
    this.#isFull = false;
  }

  /** After so many commits that succeed, 0 unless given, so many fail with EIO, 1 unless given; `Infinity`: all until `heal`. */
  fail(times = 1, { after = 0 } = {}): void {
    this.#toPass = after;
    this.#toFail = times;
  }

  /** Every commit takes so many milliseconds longer, until `heal`. */
  slow(ms: number): void {
    this.#slowMs = ms;
  }

  /** What is stored next is stored torn. */
  tear({ how = 'cut', kind = 'record', partition, times = 1 }: TearOptions = {}): void {
    this.#tears.push({ how, kind, partition, times });
  }

  /** A sound disk with room from now on. What is torn stays torn. */
  heal(): void {
    this.#isFull = false;
    this.#toFail = 0;
    this.#slowMs = 0;
    this.#tears = [];
  }

  async #beforeCommit(): Promise<void> {
    if (this.#slowMs > 0) await sleep(this.#slowMs);
    if (this.#isFull) {
      this.#failures++;
      throw diskError('ENOSPC', 'no space left on device');
    }
    if (this.#toPass > 0) {
      this.#toPass--;
    } else if (this.#toFail > 0) {
      this.#toFail--;
      this.#failures++;
      throw diskError('EIO', 'i/o error');
    }
  }

  #onStore(bytes: Uint8Array, what: StoredBytes): Uint8Array {
    const tear = this.#tears.find(
      ({ kind, partition, times }) =>
        times > 0 && kind === what.kind && (partition ?? what.partition) === what.partition,
    );
    if (!tear) return bytes;
    tear.times--;
    this.#torn.push(what);
    const middle = bytes.length >>> 1;
    if (tear.how === 'cut') return bytes.slice(0, middle);
    const flipped = bytes.slice();
    flipped[middle]! ^= 1;
    return flipped;
  }
}

function diskError(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}, write`), { code });
}
