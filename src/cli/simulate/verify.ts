import { setTimeout as pause } from 'node:timers/promises';
import { StoreError } from '../../model/errors.js';
import { formatIpv4 } from '../../model/ipv4.js';
import type { Row } from '../../model/row.js';
import type { StoreReader } from '../../store/store.js';
import type { SentKeys } from './traffic.js';

/** How a table compares with the last report of each key. */
export interface Verdict {
  /** Whether every key holds what was last reported of it. */
  readonly equal: boolean;
  readonly matching: number;
  /** Keys that were reported and are not in the table. */
  readonly missing: number;
  /** Keys with an older ts, or with the same ts and no counter above the last one: an earlier report. */
  readonly stale: number;
  /** All other keys whose row differs. */
  readonly wrong: number;
  /** The first few differences, a line each. */
  readonly differences: readonly string[];
}

/** Differences that are named; the others are counted. */
const NAMED = 5;
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1000;

/**
 * Compares the table with what a workload reported last, waiting until they are equal, `waitMs` at most. What is
 * there then is compared once, however long that takes. Rows of other keys are passed over.
 *
 * Memory: one byte a key and a page of rows. Rejects with StoreError when the table cannot be read.
 */
export async function verify(reader: StoreReader, workload: SentKeys, waitMs: number): Promise<Verdict> {
  const deadline = performance.now() + waitMs;
  const tally = new Tally(workload);
  for (const modid of workload.modids()) {
    // Whole modids, one after the other: what is equal is not read again.
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        await tally.count(reader, modid);
        break;
      }
      if (await tally.countIfEqual(reader, modid)) break;
      await pause(Math.min(pauseMs, Math.max(0, deadline - performance.now())));
    }
  }
  return tally.verdict();
}

class Tally {
  readonly #workload: SentKeys;
  readonly #isSeen: Uint8Array;
  readonly #differences: string[] = [];
  #matching = 0;
  #missing = 0;
  #stale = 0;
  #wrong = 0;

  constructor(workload: SentKeys) {
    this.#workload = workload;
    this.#isSeen = new Uint8Array(workload.keys);
  }

  /** Counts a modid whose keys are all as reported; false, having counted nothing, at the first that is not. */
  async countIfEqual(reader: StoreReader, modid: number): Promise<boolean> {
    const workload = this.#workload;
    let matching = 0;
    try {
      for await (const row of reader.rows({ modid })) {
        const index = workload.indexOf(row);
        if (index < 0 || !workload.wasReported(index)) continue;
        if (!workload.isLast(index, row)) return false;
        matching++;
      }
    } catch (error) {
      // Away or busy: there is time yet.
      if (error instanceof StoreError && error.class === 'retry') return false;
      throw error;
    }
    let reported = 0;
    for (const _ of workload.reportedKeys(modid)) reported++;
    if (matching < reported) return false;
    this.#matching += matching;
    return true;
  }

  /** Counts a modid as it is. */
  async count(reader: StoreReader, modid: number): Promise<void> {
    const workload = this.#workload;
    for await (const row of reader.rows({ modid })) {
      const index = workload.indexOf(row);
      if (index < 0 || !workload.wasReported(index)) continue;
      this.#isSeen[index] = 1;
      if (workload.isLast(index, row)) this.#matching++;
      else this.#differs(workload.lastRow(index), row);
    }
    for (const index of workload.reportedKeys(modid)) {
      if (this.#isSeen[index] === 1) continue;
      this.#missing++;
      const sent = workload.lastRow(index);
      this.#name(() => `missing: ${keyText(sent)}: sent ${valueText(sent)}`);
    }
  }

  verdict(): Verdict {
    const [missing, stale, wrong] = [this.#missing, this.#stale, this.#wrong];
    return {
      equal: missing + stale + wrong === 0,
      matching: this.#matching,
      missing,
      stale,
      wrong,
      differences: this.#differences,
    };
  }

  #differs(sent: Row, found: Row): void {
    const isStale =
      found.ts < sent.ts || (found.ts === sent.ts && found.succ <= sent.succ && found.err <= sent.err);
    if (isStale) this.#stale++;
    else this.#wrong++;
    this.#name(
      () =>
        `${isStale ? 'stale' : 'wrong'}: ${keyText(sent)}: sent ${valueText(sent)}, the table holds ${valueText(found)}`,
    );
  }

  #name(difference: () => string): void {
    if (this.#differences.length < NAMED) this.#differences.push(difference());
  }
}

function keyText({ modid, cmdid, ip, port, caller }: Row): string {
  return `modid=${modid} cmdid=${cmdid} ip=${formatIpv4(ip)} port=${port} caller=${formatIpv4(caller)}`;
}

function valueText({ succ, err, ts, overload }: Row): string {
  return `succ=${succ} err=${err} ts=${ts} overload=${overload ? 1 : 0}`;
}
