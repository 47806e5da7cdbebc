import { History, type HistoryCondition, type HistoryOptions } from '../../history/history.js';
import type { HistoryReader } from '../../history/history-reader.js';
import type { IncidentRecord } from '../incidents.js';
import { pastMinute, runningMinute } from '../past-minutes.js';
import { pastOfChange, pastOfIncident } from '../past-records.js';
import { blackoutLastOn } from '../service-incidents.js';
import type { View } from '../view.js';

const MINUTE_S = 60;
/** Running incidents are written anew so often, so that a process that is killed has told how far they went. */
const PROGRESS_S = 10;
/** So many of them at a time. */
const MOST_PROGRESS = 5_000;
/** What is remembered of the processes before, at most. */
const MOST_REMEMBERED = 10_000;

/** Hands what the view sees on to the history, and what the history knows to the view, once, when it can be read. */
export class Keeping {
  readonly #view: View;
  readonly #history: History;
  /** Shown to the view already. */
  #isRemembered = false;
  #lastChange = 0;
  #more = '';
  #lastMinute: number;
  #progressAt = 0;
  #shown = new Map<number, string>();

  constructor(view: View, options: HistoryOptions) {
    this.#view = view;
    this.#history = new History(options);
    const { state } = view;
    this.#lastMinute = state.services.minutes.newest;
    state.incidents.onMoved = (incident) => this.#keepIncident(incident);
    this.#history.open();
    this.#remember();
  }

  get condition(): HistoryCondition {
    return this.#history.condition;
  }

  /** Undefined while it cannot be read. */
  get reader(): HistoryReader | undefined {
    return this.#history.reader;
  }

  /** After each tick of the view. Resolves when what there is has been written, or cannot be. */
  async tick(): Promise<void> {
    this.#keepAll();
    await this.#history.work(this.#nowS);
    this.#remember();
  }

  /** Keeps what there is, and closes the history. */
  async close(): Promise<void> {
    this.#keepAll();
    this.#keepProgress();
    const { state, covered } = this.#view;
    const coveredS = covered.of(Math.floor(state.now / MINUTE_S));
    if (coveredS > 0) this.#history.keepMinute(runningMinute(state, coveredS));
    await this.#history.close(this.#nowS);
  }

  /** The wall clock. */
  get #nowS(): number {
    const { clock, now } = this.#view.state;
    return clock.toWall(now);
  }

  #remember(): void {
    const { reader } = this.#history;
    if (!reader || this.#isRemembered) return;
    this.#isRemembered = true;
    const ended = [];
    for (const incident of reader.incidents()) {
      if (ended.length === MOST_REMEMBERED) break;
      if (incident.endedS !== 0) ended.push(incident);
    }
    const events = [];
    for (const event of reader.events()) {
      if (events.length === MOST_REMEMBERED) break;
      events.push(event);
    }
    const { lastIds } = reader;
    this.#view.rememberPast({ running: reader.running(), lastIds, ended, events });
    this.#lastChange = Math.max(this.#lastChange, lastIds.event);
  }

  #keepAll(): void {
    const { state, covered } = this.#view;
    const { clock, changes, services, now } = state;
    for (const change of changes.after(this.#lastChange)) {
      this.#history.keepEvent(pastOfChange(clock, change));
      this.#lastChange = change.id;
    }
    // How many more there were grows while the minute lasts.
    const { more } = changes;
    if (more && more.text !== this.#more) this.#history.keepEvent(pastOfChange(clock, more));
    this.#more = more?.text ?? '';
    for (let minute = this.#lastMinute + 1; minute <= services.minutes.newest; minute++) {
      const coveredS = covered.of(minute);
      if (coveredS > 0) this.#history.keepMinute(pastMinute(state, minute, coveredS));
    }
    this.#lastMinute = services.minutes.newest;
    if (now - this.#progressAt >= PROGRESS_S) this.#keepProgress();
  }

  #keepProgress(): void {
    const { state } = this.#view;
    const { hosts, services, incidents, now } = state;
    this.#progressAt = now;
    for (const run of hosts.runs) if (run?.incident) run.incident.lastOn = run.lastOn;
    for (const [service, blackout] of services.blackouts.entries())
      if (blackout) blackout.lastOn = Math.max(blackout.began, blackoutLastOn(state, service));
    const shown = new Map<number, string>();
    let kept = 0;
    for (const incident of incidents.open()) {
      // Too many errors run until they end.
      if (incident.kind === 'errors' && !state.resuming.has(incident)) incident.lastOn = now;
      const { id, lastOn, peakHot, callers, relapses } = incident;
      const text = `${lastOn} ${peakHot} ${callers} ${relapses}`;
      const isKnown = this.#shown.get(id) === text;
      if (isKnown || kept < MOST_PROGRESS) shown.set(id, text);
      if (isKnown || kept >= MOST_PROGRESS) continue;
      kept++;
      this.#keepIncident(incident);
    }
    this.#shown = shown;
  }

  #keepIncident(incident: IncidentRecord): void {
    this.#history.keepIncident(pastOfIncident(this.#view.state.clock, incident));
  }
}
