import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Change, HistoryFile } from './history-file.js';
import { timeKey, timeOf } from './history-keys.js';
import type { PastMinute, Tally } from './kept-records.js';
import { changesOf, coverageChange, coveredAt, type TallyTable, talliesAt } from './minute-table.js';
import { byKey, HOSTS, mergeAll, SERVICES } from './tallies.js';

/** Minutes that are made one. */
export const TEN = 10;
/** Minutes that lie in the future are put back one by one; of more, only the last ones stay. */
const MOST_MOVED = 1_440;
const MOST_FUTURE = 100_000;

/** Minutes as they come: kept one by one, and ten of them as one. One call at a time. */
export class MinuteWriting {
  readonly #file: HistoryFile;
  /** First minute of the last ten that were made one. */
  #tensTo: number;

  constructor(file: HistoryFile) {
    this.#file = file;
    const last = file.last('tens');
    const first = file.first('minutes');
    // Those that a process left undone when it ended.
    this.#tensTo = last ? timeOf(last.key) : first ? tenOf(timeOf(first.key)) - TEN : 0;
  }

  /** Adds a minute to what is known of it. */
  async add({ minute, coveredS, services, hosts }: PastMinute): Promise<void> {
    const file = this.#file;
    await file.commit([
      coverageChange(minute, coveredAt(file, minute) + coveredS),
      ...this.#merging('minutes', minute, [...services].sort(byKey(SERVICES))),
      ...this.#merging('hosts', minute, [...hosts].sort(byKey(HOSTS))),
    ]);
    await this.#makeTens(minute);
  }

  #merging(table: TallyTable, minute: number, tallies: readonly Tally[]): Change[] {
    const layout = table === 'hosts' ? HOSTS : SERVICES;
    return changesOf(
      this.#file,
      table,
      minute,
      mergeAll(layout, talliesAt(this.#file, table, minute), tallies),
    );
  }

  async #makeTens(minute: number): Promise<void> {
    const ten = tenOf(minute);
    if (this.#tensTo === 0) this.#tensTo = ten - TEN;
    // Something came late: what was made of it is made anew.
    if (ten <= this.#tensTo) await this.#makeTen(ten);
    const to = (minute + 1) % TEN === 0 ? ten : ten - TEN;
    for (let next = this.#nextTen(to); next !== undefined; next = this.#nextTen(to)) {
      await this.#makeTen(next);
      this.#tensTo = next;
    }
    this.#tensTo = Math.max(this.#tensTo, to);
  }

  /** The next ten, up to one, of which there are minutes. */
  #nextTen(to: number): number | undefined {
    const from = timeKey(this.#tensTo + TEN);
    for (const { key } of this.#file.range('minutes', { from, to: timeKey(to + TEN), limit: 1 }))
      return tenOf(timeOf(key));
    return undefined;
  }

  async #makeTen(ten: number): Promise<void> {
    await this.#file.commit(changesOf(this.#file, 'tens', ten, await tallyOfTen(this.#file, ten)));
  }

  /**
   * Puts minutes that lie behind `now` back, so that the last of them is the minute that runs: the clock was ahead, and
   * has been set. Those that meet others are added to them. Returns whether there were any.
   */
  async putBack(now: number): Promise<boolean> {
    const file = this.#file;
    const future = { from: timeKey(now + 1), to: timeKey(0xffff_ffff) };
    const minutes = Array.from(file.range('coverage', { ...future, limit: MOST_FUTURE }), ({ key }) =>
      timeOf(key),
    );
    const last = minutes.at(-1);
    if (last === undefined) return false;
    const shift = last - now;
    for (const minute of minutes) {
      const coveredS = coveredAt(file, minute);
      const [services, hosts] = [talliesAt(file, 'minutes', minute), talliesAt(file, 'hosts', minute)];
      await file.commit([
        { table: 'coverage', key: timeKey(minute) },
        ...changesOf(file, 'minutes', minute, []),
        ...changesOf(file, 'hosts', minute, []),
      ]);
      if (minute <= last - MOST_MOVED) continue;
      this.#tensTo = Math.min(this.#tensTo, tenOf(minute - shift) - TEN);
      await this.add({ minute: minute - shift, coveredS, services, hosts });
    }
    const tens = Array.from(file.range('tens', { ...future, limit: MOST_FUTURE }), ({ key }) =>
      Buffer.from(key),
    );
    await file.commit(tens.map((key) => ({ table: 'tens', key })));
    return true;
  }
}

/** The first minute of the ten that a minute is of. */
export function tenOf(minute: number): number {
  return minute - (minute % TEN);
}

/** What ten minutes come to, in order of the keys. */
async function tallyOfTen(file: HistoryFile, ten: number): Promise<readonly Tally[]> {
  let all: readonly Tally[] = [];
  for (let minute = ten; minute < ten + TEN; minute++) {
    all = mergeAll(SERVICES, all, talliesAt(file, 'minutes', minute));
    // Of many services each takes some milliseconds: others have their turn.
    await nextTurn();
  }
  return all;
}
