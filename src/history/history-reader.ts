import type { HistoryFile } from './history-file.js';
import { endedKey, idKey, idOf, idOfEnded } from './history-keys.js';
import {
  decodeEvent,
  decodeIncident,
  type PastEvent,
  type PastIncident,
  type Tally,
} from './kept-records.js';
import { coverageOf, type TallyTable, tallyAt } from './minute-table.js';
import { TEN } from './minute-writing.js';
import { merged, SERVICES } from './tallies.js';

/** Incidents that run, at most: more than any site has hosts in trouble. */
const MOST_OPEN = 20_000;
const MOST_ENDED = 20_000;

/** Reads the history. Nothing here writes; what comes is of one moment as long as nothing is awaited. */
export class HistoryReader {
  readonly #file: HistoryFile;

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  /** Ids of the last event and of the last incident; 0 when there is none. */
  get lastIds(): { readonly event: number; readonly incident: number } {
    const [event, incident] = [this.#file.last('events'), this.#file.last('incidents')];
    return { event: event ? idOf(event.key) : 0, incident: incident ? idOf(incident.key) : 0 };
  }

  /** Newest first, from behind the one with an id. */
  *events(beforeId?: number): Generator<PastEvent> {
    const from = beforeId === undefined ? {} : { from: idKey(beforeId - 1) };
    for (const { key, value } of this.#file.range('events', { ...from, isReverse: true }))
      yield decodeEvent(idOf(key), value);
  }

  /** Newest first, from behind the one with an id. */
  *incidents(beforeId?: number): Generator<PastIncident> {
    const from = beforeId === undefined ? {} : { from: idKey(beforeId - 1) };
    for (const { key, value } of this.#file.range('incidents', { ...from, isReverse: true }))
      yield decodeIncident(idOf(key), value);
  }

  /** Those that run, newest first. */
  running(): PastIncident[] {
    const open = this.#file.range('open', { isReverse: true, limit: MOST_OPEN });
    return this.#ofIds(Array.from(open, ({ key }) => idOf(key)));
  }

  /** Those that run, or ran at a second or later, newest first. */
  since(second: number): PastIncident[] {
    const last = endedKey(0xffff_ffff, Number.MAX_SAFE_INTEGER);
    const ended = this.#file.range('ended', {
      ...{ from: last, to: endedKey(second, 0), isReverse: true, limit: MOST_ENDED },
    });
    const ids = Array.from(ended, ({ key }) => idOfEnded(key));
    return [...this.running(), ...this.#ofIds(ids)].sort((a, b) => b.id - a.id);
  }

  #ofIds(ids: readonly number[]): PastIncident[] {
    return ids.flatMap((id) => {
      const value = this.#file.get('incidents', idKey(id));
      return value ? [decodeIncident(id, value)] : [];
    });
  }

  /** Seconds in which the view was live, of each minute from a first to a last one. */
  coverage(first: number, last: number): number[] {
    return coverageOf(this.#file, first, last);
  }

  /** What is known of a service or a host in a minute. */
  minute(table: Exclude<TallyTable, 'tens'>, minute: number, key: Tally): Tally | undefined {
    return tallyAt(this.#file, table, minute, key);
  }

  /** What is known of a service in the ten minutes from `ten` on; of those that are not over, as far as they are. */
  ten(ten: number, key: Tally): Tally | undefined {
    const known = tallyAt(this.#file, 'tens', ten, key);
    if (known) return known;
    let all: Tally | undefined;
    for (let minute = ten; minute < ten + TEN; minute++) {
      const tally = tallyAt(this.#file, 'minutes', minute, key);
      if (tally) all = all ? merged(SERVICES, all, tally) : tally;
    }
    return all;
  }
}
