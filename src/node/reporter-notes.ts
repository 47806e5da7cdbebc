import type { ReporterEvent } from '../observe/events.js';

/** What of a reporter's events people see among the changes, in words; and who is connected. */
export class ReporterNotes {
  #notes: string[] = [];
  #letters = 0;
  /** Writers whose store fails. */
  readonly #failing = new Set<number>();
  readonly #open = new Map<string, number>();
  /** Addresses whose number of connections has changed. */
  #moved = new Set<string>();

  readonly observe = (event: ReporterEvent): void => {
    switch (event.type) {
      case 'connection-opened':
        this.#move(event.peer, 1);
        break;
      case 'connection-closed':
        this.#move(event.peer, -1);
        break;
      case 'dead-letter':
        this.#letters++;
        break;
      case 'store-state':
        if (event.state === 'ok') this.#storeIsBack(event.partition);
        else this.#storeFails(event.partition, event.error.message);
        break;
      default: {
        const text = textOf(event);
        if (text !== undefined) this.add(text);
      }
    }
  };

  add(text: string): void {
    if (this.#notes.length < MAX_NOTES) this.#notes.push(text);
  }

  /** What was noted since the last call. */
  take(): string[] {
    const notes = this.#notes;
    this.#notes = [];
    if (this.#letters > 0) notes.push(`the store refuses ${this.#letters} rows: they are dead letters`);
    this.#letters = 0;
    return notes;
  }

  /** Addresses from which another number of connections is open than at the last call. `all`: those of everybody. */
  takeConnections(all: boolean): [address: string, count: number][] {
    const moved = all ? new Set(this.#open.keys()) : this.#moved;
    this.#moved = new Set();
    return [...moved].map((peer) => [peer, this.#open.get(peer) ?? 0]);
  }

  #move(peer: string, by: 1 | -1): void {
    const count = (this.#open.get(peer) ?? 0) + by;
    if (count > 0) this.#open.set(peer, count);
    else this.#open.delete(peer);
    this.#moved.add(peer);
  }

  #storeFails(partition: number, message: string): void {
    if (this.#failing.size === 0) this.add(`the store fails: ${message}`);
    this.#failing.add(partition);
  }

  #storeIsBack(partition: number): void {
    if (this.#failing.delete(partition) && this.#failing.size === 0) this.add('the store is back');
  }
}

/** Of one second; more of them say nothing more. */
const MAX_NOTES = 50;

/** Undefined for what is no news to people who look at services. */
function textOf(event: ReporterEvent): string | undefined {
  switch (event.type) {
    case 'reporter-state':
      if (event.state === 'running') return 'the reporter has started';
      return event.state === 'draining' ? 'the reporter stops: it takes no new connections' : undefined;
    case 'store-unavailable':
      return `the store is away: ${event.error.message}`;
    case 'journal-state':
      return event.state === 'ok'
        ? 'the journal can be written again'
        : `the journal cannot be written, agents wait: ${event.error.message}`;
    case 'quarantined':
      return `a journal record of writer ${event.partition} is in quarantine: ${event.error.message}`;
    case 'writer-crashed':
      return `writer ${event.partition} has crashed: ${event.error.message}`;
    case 'writer-recovered':
      return event.restarts > 0 ? `writer ${event.partition} runs again` : undefined;
    case 'dead-letters-settled': {
      const { action } = event;
      return `dead letters were ${action === 'replay' ? 'replayed' : 'dropped'}`;
    }
    default:
      return undefined;
  }
}
