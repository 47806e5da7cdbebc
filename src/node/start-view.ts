import { join } from 'node:path';
import type { Config } from '../config/index.js';
import type { Peers } from '../journal/contract.js';
import { memoryBytes } from '../model/memory.js';
import { NO_FEED, type RowFeed } from '../model/row-feed.js';
import { HISTORY_OFF, type HistoryStatus, type LiveViewStatus, VIEW_OFF } from '../model/view-status.js';
import type { Store } from '../store/contract.js';
import { incidentTable } from '../store/incident-table.js';
import { ThreadClock } from '../view/feed/thread-clock.js';
import { ViewFeed } from '../view/feed/view-feed.js';
import { type LiveView, type ViewEvent, type ViewQuestion, ViewUnavailable } from '../view/live.js';
import { Followers } from '../view/thread/followers.js';
import { type TickMessage, ViewThread } from '../view/thread/view-thread.js';
import type { Foundation } from './foundation.js';
import { IncidentCopy } from './incident-copy.js';
import { ReporterNotes } from './reporter-notes.js';
import type { Lane } from './start-writers.js';
import { followStoredNames } from './stored-names.js';
import { ViewReadings } from './view-readings.js';

/** Beside the journal: one process has both. */
const MACHINES_FILE = 'voices.json';

/** Of a row of the view, at most: itself, its share of hosts and services, and as much again while the tables grow. */
const BYTES_PER_ROW = 600;
/** Beside what pending keys may have. */
const SHARE_OF_MEMORY = 0.2;

/** Rows the view may hold: as configured, or fewer where there is little memory. */
function maxViewRows(configured: number): number {
  return Math.max(1000, Math.min(configured, Math.floor((memoryBytes() * SHARE_OF_MEMORY) / BYTES_PER_ROW)));
}

function historyOptions({ history: { enabled, dir, maxBytes } }: Config) {
  return enabled ? { dir, maxBytes } : null;
}

/** The live view of a reporter, from before anything runs. */
export interface ViewDesk extends LiveView {
  /** For the writers. */
  readonly feed: RowFeed;
  /** For the ways in: the journal's numbers, of which the view is told. */
  peers(peers: Peers): Pick<Peers, 'number'>;
  /** The writers run: the view is started. */
  start(store: Store, lanes: readonly Lane[]): void;
  /** The section of the configuration has changed, or the names have. */
  changed(): void;
}

/** Makes the desk; nothing runs before `start`. */
export function openViewDesk(foundation: Foundation): ViewDesk {
  return foundation.config.view.enabled ? new RunningView(foundation) : NO_VIEW;
}

const off = () => Promise.reject(new ViewUnavailable('the view is switched off (view.enabled)'));

const NO_VIEW: ViewDesk = {
  feed: NO_FEED,
  peers: (peers) => peers,
  start: () => {},
  changed: () => {},
  status: () => VIEW_OFF,
  ask: off,
  series: off,
  follow: off,
};

class RunningView implements ViewDesk {
  readonly #foundation: Foundation;
  readonly #clock = new ThreadClock();
  readonly #feed = new ViewFeed(this.#clock);
  readonly #notes = new ReporterNotes();
  #parts:
    | { readonly thread: ViewThread; readonly readings: ViewReadings; readonly followers: Followers }
    | undefined;
  #isEnded = false;
  /** Bytes that had come by the last time somebody asked whether agents send. */
  #bytes = 0;
  /** Rows that were missed, as the thread was last told. */
  #toldMissed = '';
  /** As the thread last said it was. */
  #history: HistoryStatus = HISTORY_OFF;

  constructor(foundation: Foundation) {
    this.#foundation = foundation;
    const { events, status } = foundation;
    events.subscribe(this.#notes.observe);
    events.subscribe((event) => {
      // A record that was on disk when its writer crashed was applied by the replay.
      if (event.type === 'writer-recovered' && event.restarts > 0) this.#feed.lost(event.partition);
    });
    status.add({ view: () => this.status() });
  }

  get feed(): RowFeed {
    return this.#feed;
  }

  peers(peers: Peers): Pick<Peers, 'number'> {
    return {
      number: (address) => {
        const number = peers.number(address);
        this.#feed.peer(number, address);
        return number;
      },
    };
  }

  start(store: Store, lanes: readonly Lane[]): void {
    const { config, events, traffic, teardown } = this.#foundation;
    const isBusy = () => {
      const { bytes } = traffic;
      const isMore = bytes !== this.#bytes;
      this.#bytes = bytes;
      return isMore;
    };
    const thread: ViewThread = new ViewThread({
      feed: this.#feed,
      boot: {
        ...{ clock: this.#clock.setting, ...this.#setting, node: null },
        machinesFile: join(config.journal.dir, MACHINES_FILE),
        history: historyOptions(config),
      },
      onUp: () => {
        // It may have been started with what held at first.
        thread.tell({ kind: 'set', ...this.#setting });
        this.#tellNews(thread, true);
        // Whoever reports from inside the process is there as long as it is.
        thread.tell({ kind: 'news', connections: [['internal', 1]], notes: [], missed: null });
        readings.begin();
        names.tell();
        void followers.followAgain();
      },
      onTick: (message: TickMessage) => {
        this.#tellHistory(message.history);
        followers.tell(message);
        this.#tellNews(thread, false);
      },
      onComplaint: (why) => events.emit({ type: 'view-complaint', why }),
      onDeath: (error, pauseMs) => {
        readings.end();
        events.emit({ type: 'view-crashed', error, pauseMs });
      },
    });
    const readings: ViewReadings = new ViewReadings({
      ...{ feed: this.#feed, clock: this.#clock, note: (text: string) => this.#notes.add(text) },
      sources: {
        ...{ thread, store: store.read, isBusy },
        pending: lanes.map(
          ({ writer }) =>
            () =>
              writer.pending,
        ),
      },
    });
    const names = followStoredNames(store.read, (stored) => thread.tell({ kind: 'names', names: stored }));
    const followers = new Followers(thread);
    this.#parts = { thread, readings, followers };
    this.#copyIncidents();
    teardown.add('the view', async () => {
      this.#isEnded = true;
      readings.end();
      names.end();
      await thread.stop();
    });
  }

  changed(): void {
    this.#parts?.thread.tell({ kind: 'set', ...this.#setting });
  }

  get #setting() {
    const { view, names } = this.#foundation.config;
    const { enabled: _, ...settings } = view;
    return { settings: { ...settings, maxRows: maxViewRows(settings.maxRows) }, names: { ...names } };
  }

  /** Into the store's table of incidents, where it has one. */
  #copyIncidents(): void {
    const { config, options, teardown } = this.#foundation;
    if (options.store || !config.history.enabled) return;
    const table = incidentTable(config.store);
    if (!table) return;
    const copy = new IncidentCopy({
      table,
      ask: (question) => this.ask(question),
      note: (text) => this.#notes.add(text),
    });
    copy.start();
    teardown.add('the copy of incidents', () => copy.end());
  }

  status(): LiveViewStatus {
    if (this.#isEnded) return { ...VIEW_OFF, ...this.#counted() };
    const parts = this.#parts;
    if (!parts?.thread.isUp) return { ...VIEW_OFF, ...this.#counted(), state: 'starting' };
    const { readings } = parts;
    const { missed } = readings;
    const missedS = missed ? Math.max(0, this.#clock.nowS() - missed.sinceS) : 0;
    return {
      state: readings.isWarm ? 'live' : 'warming',
      behindS: Math.max(this.#feed.lagS, missedS),
      history: this.#history,
      ...this.#counted(),
    };
  }

  async ask(question: ViewQuestion) {
    return this.#running().thread.request('ask', question);
  }

  async series() {
    return this.#running().thread.request('series', null);
  }

  async follow(topic: string, onEvent: (event: ViewEvent) => void): Promise<() => void> {
    return this.#running().followers.follow(topic, onEvent);
  }

  #counted() {
    const thread = this.#parts?.thread;
    return {
      droppedRows: this.#feed.droppedRows,
      restarts: thread?.restarts ?? 0,
      counts: thread?.counts,
    };
  }

  #running() {
    if (!this.#parts || this.#isEnded)
      throw new ViewUnavailable(this.#isEnded ? 'the reporter stops' : 'the reporter is starting');
    return this.#parts;
  }

  /** Once when it stops, and once when it goes on. */
  #tellHistory(status: HistoryStatus): void {
    const { state, why } = status;
    const before = this.#history.state;
    this.#history = status;
    if (state === before) return;
    if (state === 'stopped') {
      this.#notes.add(`the history is not written: ${why}`);
      this.#foundation.events.emit({ type: 'view-complaint', why: `the history is not written: ${why}` });
    } else if (before === 'stopped') this.#notes.add('the history is written again');
  }

  /** Once a second, if there is any. */
  #tellNews(thread: ViewThread, all: boolean): void {
    const missed = this.#parts?.readings.missed;
    const told = missed ? `${missed.rows} ${missed.sinceS}` : '';
    const connections = this.#notes.takeConnections(all);
    const notes = this.#notes.take();
    if (missed && this.#toldMissed === '')
      notes.push(`the view was too slow for ${missed.rows} rows; they are read again from the store`);
    if (!all && connections.length === 0 && notes.length === 0 && told === this.#toldMissed) return;
    this.#toldMissed = told;
    const news = missed ? { rows: missed.rows, sinceS: missed.sinceS } : null;
    thread.tell({ kind: 'news', connections, notes, missed: news });
  }
}
