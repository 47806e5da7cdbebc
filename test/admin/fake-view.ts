import { HISTORY_OFF, type ViewCounts } from '../../src/model/view-status.js';
import {
  type LiveView,
  type LiveViewStatus,
  type ViewEvent,
  type ViewQuestion,
  type ViewReply,
  ViewUnavailable,
} from '../../src/view/live.js';

/** Nothing is there, but for what is given. */
export function viewCounts(given: Partial<ViewCounts> = {}): ViewCounts {
  return {
    rows: 0,
    services: { ok: 0, noted: 0, failing: 0, overloaded: 0, outage: 0 },
    hosts: {
      overloaded: 0,
      disputed: 0,
      failing: 0,
      noted: 0,
      ok: 0,
      idle: 0,
      stale: 0,
      withdrawn: 0,
    },
    callers: { reporting: 0, connected: 0, gone: 0, table: 0 },
    lostAtStart: 0,
    sharedCallers: 0,
    incidentsOpen: 0,
    incidentsBegun: { host: 0, blackout: 0, errors: 0 },
    mismatches: 0,
    sampled: 1,
    ...given,
  };
}

export function viewStatusOf(given: Partial<LiveViewStatus> = {}): LiveViewStatus {
  return {
    state: 'live',
    behindS: 0,
    droppedRows: 0,
    restarts: 0,
    history: HISTORY_OFF,
    counts: viewCounts(),
    ...given,
  };
}

/** A view that notes what it is asked, and answers and tells what a test says. */
export class FakeView implements LiveView {
  readonly asked: ViewQuestion[] = [];
  readonly followed: string[] = [];
  /** What it rejects with, instead of answering. */
  error: Error | undefined;
  current = viewStatusOf();
  reply: Omit<ViewReply, 'body'> & { readonly body: unknown } = { status: 200, body: {} };
  readonly #followers = new Set<(event: ViewEvent) => void>();

  get followers(): number {
    return this.#followers.size;
  }

  status(): LiveViewStatus {
    return this.current;
  }

  async ask(question: ViewQuestion): Promise<ViewReply> {
    this.asked.push(question);
    if (this.error) throw this.error;
    return { status: this.reply.status, body: Buffer.from(JSON.stringify(this.reply.body)) };
  }

  async series(): Promise<Uint8Array> {
    if (this.error) throw this.error;
    return Buffer.from('# HELP x X.\n');
  }

  async follow(topic: string, onEvent: (event: ViewEvent) => void): Promise<() => void> {
    this.followed.push(topic);
    if (this.error) throw this.error;
    this.#followers.add(onEvent);
    return () => this.#followers.delete(onEvent);
  }

  /** Tells all that follow. */
  tell(event: ViewEvent): void {
    for (const follower of this.#followers) follower(event);
  }
}

export const unavailable = () => new ViewUnavailable("the view's thread is being restarted");
