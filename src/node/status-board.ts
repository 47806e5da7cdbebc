import type { Ledger, ReporterStatus, TlsStatus, WriterStatus } from '../model/status.js';
import type { Traffic } from '../model/traffic.js';
import { type LiveViewStatus, VIEW_OFF } from '../model/view-status.js';
import type { EventSink, ReporterEvent } from '../observe/events.js';
import { totalLedger } from '../partition/counts.js';

/** What the stages know of themselves. */
interface StageStatus {
  readonly store: string;
  readonly inflightBytes: () => number;
  readonly tls: () => TlsStatus | null;
  readonly deadLetters: () => number;
  readonly quarantined: () => number;
  readonly writers: () => readonly WriterStatus[];
  readonly view: () => LiveViewStatus;
  /** Of rows that were refused before they came to a writer. */
  readonly refused: () => Ledger | undefined;
}

const NOT_STARTED: StageStatus = {
  store: '',
  inflightBytes: () => 0,
  tls: () => null,
  deadLetters: () => 0,
  quarantined: () => 0,
  writers: () => [],
  view: () => VIEW_OFF,
  refused: () => undefined,
};

/** The status of a reporter: each stage adds what it knows as it starts. */
export class StatusBoard {
  readonly #traffic: Traffic;
  readonly #events: EventSink;
  readonly #keeper: number | null;
  #stages = NOT_STARTED;
  #state: ReporterStatus['state'] = 'starting';
  #journalError: string | undefined;

  /** `keeper`: the process that holds the connections, if another one does. */
  constructor(traffic: Traffic, events: EventSink, keeper: number | null) {
    this.#keeper = keeper;
    this.#traffic = traffic;
    this.#events = events;
  }

  get state(): ReporterStatus['state'] {
    return this.#state;
  }

  /** A stage has started. */
  add(stage: Partial<StageStatus>): void {
    this.#stages = { ...this.#stages, ...stage };
  }

  /** The reporter is in another state from now on. A state never comes back. */
  enter(state: Exclude<ReporterStatus['state'], 'starting'>): void {
    if (this.#state === state || this.#state === 'stopped') return;
    this.#state = state;
    this.#events.emit({ type: 'reporter-state', state });
  }

  readonly observe = (event: ReporterEvent): void => {
    if (event.type !== 'journal-state') return;
    this.#journalError = event.state === 'failing' ? event.error.message : undefined;
  };

  /** The conservation equation over everything, at this moment. */
  ledger(): Ledger {
    return this.#total(this.#stages.writers());
  }

  read(): ReporterStatus {
    const { store, tls, inflightBytes, deadLetters, quarantined, view } = this.#stages;
    const writers = this.#stages.writers();
    return {
      state: this.#state,
      pid: process.pid,
      keeper: this.#keeper,
      traffic: this.#traffic,
      tls: tls(),
      inflightBytes: inflightBytes(),
      ...(this.#journalError === undefined ? {} : { journalError: this.#journalError }),
      store,
      ledger: this.#total(writers),
      deadLetters: deadLetters(),
      quarantined: quarantined(),
      writers,
      view: view(),
    };
  }

  #total(writers: readonly WriterStatus[]): Ledger {
    const refused = this.#stages.refused();
    return totalLedger([...(refused ? [refused] : []), ...writers.map(({ ledger }) => ledger)]);
  }
}
