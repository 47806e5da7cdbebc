import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../model/backoff.js';
import { errorOf } from '../model/errors.js';
import { parseIpv4 } from '../model/ipv4.js';
import type { IncidentTable, StoredIncident } from '../store/contract.js';
import { type ViewQuestion, type ViewReply, ViewUnavailable } from '../view/live.js';
import type { Incident, IncidentsAnswer } from '../view/shapes.js';

const EVERY_MS = 5_000;
/** A store without the table may get one. */
const LOOK_AGAIN_MS = 300_000;
const RETRY = { firstMs: 5_000, lastMs: 120_000 };
/** Ends become known later than they are; and a clock may have been set. */
const LOOK_BACK_S = 900;
const PAGE = 500;

export interface IncidentCopyOptions {
  readonly table: IncidentTable;
  readonly ask: (question: ViewQuestion) => Promise<ViewReply>;
  /** Once when it fails, and once it works again. */
  readonly note: (text: string) => void;
  /** For tests. */
  readonly everyMs?: number;
}

/**
 * Copies incidents into a table of the store, for people's SQL. Slowly, on a connection of its own, one statement at a
 * time: the table says how far it is, the history has the rest, so that an outage is caught up.
 */
export class IncidentCopy {
  readonly #options: IncidentCopyOptions;
  /** What was written of each, and under which begin: of the last look. */
  #written = new Map<number, { readonly began: number; readonly text: string }>();
  /** Up to then all is written; at first, the table knows. */
  #sinceS: number | undefined;
  /** Whether there was a table when it was last looked: without one nothing is said. */
  #isThere = false;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: IncidentCopyOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#options.table.close().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    const { note, everyMs = EVERY_MS } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      let pauseMs = everyMs;
      try {
        if (!(await this.#copy())) pauseMs = LOOK_AGAIN_MS;
        if (failures > 0 && this.#isThere) note('incidents are copied to the store again');
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        // It starts, or starts again.
        if (error instanceof ViewUnavailable)
          await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {});
        else if (failures++ === 0 && this.#isThere)
          note(`incidents cannot be copied to the store: ${errorOf(error).message}`);
        pauseMs = failures === 0 ? 0 : backoffMs(failures, RETRY);
      }
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** False when there is no table. */
  async #copy(): Promise<boolean> {
    const { table } = this.#options;
    const newest = await table.newest();
    this.#isThere = newest !== undefined;
    if (newest === undefined) {
      await table.close();
      return false;
    }
    const sinceS = Math.max(0, (this.#sinceS ?? newest) - LOOK_BACK_S);
    const { pages, asOf } = await this.#pages(new Date(sinceS * 1000).toISOString());
    const seen = new Map<number, { readonly began: number; readonly text: string }>();
    // Oldest first: the table never says that it is further than it is.
    for (const incidents of pages.reverse()) {
      const rows: StoredIncident[] = [];
      for (const incident of incidents) {
        const known = this.#written.get(incident.id);
        const row = storedOf(incident, known?.began);
        const text = JSON.stringify(row);
        seen.set(incident.id, { began: row.began, text });
        if (known?.text !== text) rows.push(row);
      }
      await table.write(rows);
    }
    this.#written = seen;
    this.#sinceS = Date.parse(asOf) / 1000;
    return true;
  }

  async #pages(since: string): Promise<{ pages: Incident[][]; asOf: string }> {
    const pages: Incident[][] = [];
    let asOf = '';
    for (let before: string | null | undefined; before !== null; ) {
      const query = new URLSearchParams({ since, limit: String(PAGE), ...(before ? { before } : {}) });
      const { status, body } = await this.#options.ask({
        ...{ path: '/api/incidents', params: {}, query: query.toString() },
      });
      if (status !== 200) throw new Error(`the view answers ${status}`);
      const answer = JSON.parse(Buffer.from(body).toString()) as IncidentsAnswer;
      pages.push([...answer.incidents]);
      asOf ||= answer.asOf;
      before = answer.cursor;
    }
    return { pages, asOf };
  }
}

/** `began`: under which it is in the table already; a clock that was set changes nothing in that. */
function storedOf(incident: Incident, began?: number): StoredIncident {
  const { kind, modid, cmdid, host, peakHot, callers, relapses, before, firstCaller } = incident;
  const [address = '', port = ''] = host?.split(':') ?? [];
  return {
    ...{ modid, cmdid, peakHot, callers, relapses, calls: before.calls, errors: before.errors },
    ip: parseIpv4(address) ?? 0,
    port: host === null ? Number(kind === 'errors') : Number(port),
    began: began ?? Date.parse(incident.began) / 1000,
    ended: incident.ended === null ? null : Date.parse(incident.ended) / 1000,
    firstCaller: firstCaller === null ? null : (parseIpv4(firstCaller) ?? null),
  };
}
