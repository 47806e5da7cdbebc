import type { Incident } from '../../view/shapes.js';

/** One line: an incident has begun, or has ended. */
export interface IncidentEvent {
  readonly event: 'began' | 'ended';
  /** When it did, ISO 8601. */
  readonly at: string;
  readonly incident: Incident;
}

/** What of incidents has been told: each begin and each end once, however often they are looked at. */
export class Telling {
  /** Told to run, and not yet told to have ended. */
  readonly #running: Set<number>;
  /** Told to have ended, as long as they are looked at again. */
  readonly #ended: Set<number>;

  constructor({ running, ended }: Told = { running: [], ended: [] }) {
    this.#running = new Set(running);
    this.#ended = new Set(ended);
  }

  /** What is new, in the order in which it happened. Of one that ended at once, both. */
  news(incidents: readonly Incident[]): IncidentEvent[] {
    const news: IncidentEvent[] = [];
    for (const incident of incidents) {
      const { id, began, ended } = incident;
      if (this.#ended.has(id)) continue;
      if (!this.#running.has(id)) news.push({ event: 'began', at: began, incident });
      if (ended !== null) news.push({ event: 'ended', at: ended, incident });
    }
    return news.sort(
      (a, b) => compare(a.at, b.at) || a.incident.id - b.incident.id || compare(a.event, b.event),
    );
  }

  /** One of the news has been told. */
  tell({ event, incident: { id } }: IncidentEvent): void {
    if (event === 'began') this.#running.add(id);
    else {
      this.#running.delete(id);
      this.#ended.add(id);
    }
  }

  /** Forgets those that ended and are not among what is looked at any more. */
  forget(looked: readonly Incident[]): void {
    const ids = new Set(looked.map(({ id }) => id));
    for (const id of this.#ended) if (!ids.has(id)) this.#ended.delete(id);
  }

  /** For the next time. */
  get told(): Told {
    return { running: [...this.#running], ended: [...this.#ended] };
  }
}

export interface Told {
  readonly running: readonly number[];
  readonly ended: readonly number[];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
