import type { ReporterEvent } from '../observe/events.js';
import { type ViewEvent, ViewRefusal, ViewUnavailable } from '../view/live.js';
import { EventStream, eventFrame } from './event-stream.js';
import { answering, checkNames, later, Misasked } from './questions.js';
import type { ReporterAnswer } from './reporter-routes.js';
import { type Answer, failure, type Route } from './route.js';
import { VIEW_OFF, type ViewSource } from './view-routes.js';

/** Streams at a time; the page asks now and then instead when there are more. */
const MAX_STREAMS = 64;
const RETRY_FULL_S = 5;
/** Ticks of a second between two events `reporter`, when nothing changes, and between two comments. */
const REPORTER_TICKS = 5;
const COMMENT_TICKS = 15;
const DEFAULT_TOPIC = 'view=services';

/** Data of the event `hello`, the first one. */
export interface HelloEvent {
  readonly version: string;
  /** Differs when the page is another one. */
  readonly build: string;
  /** Of the view; null when it is not known yet, or not asked. */
  readonly tick: number | null;
  /** The wall clock, ISO 8601. */
  readonly now: string;
  /** Whether `/api/history` is there to be asked. */
  readonly history: boolean;
}

/** Data of the event `bye`, the last one. */
export interface ByeEvent {
  readonly reason: 'draining' | 'stopped';
}

export interface EventStreamsOptions {
  readonly view: ViewSource;
  /** How the reporter is now. */
  readonly report: () => ReporterAnswer;
  readonly version: string;
  readonly build: string;
  /** Whether `/api/history` is served; it is not unless told. */
  readonly hasHistory?: boolean;
}

/** GET /api/events: server-sent events, for pages that stay open. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  /** Those that are being opened, too. */
  readonly #streams = new Set<EventStream>();
  /** Equal events go to many as one text. */
  readonly #frames = new WeakMap<ViewEvent, string>();
  #tick: number | undefined;
  #bye: ByeEvent['reason'] | undefined;
  #ticks = 0;
  #reported = '';
  #reportedAt = 0;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  get route(): Route {
    return {
      method: 'GET',
      path: '/api/events',
      handle: ({ query }) => answering(() => this.#open(query)),
    };
  }

  /** Takes the events of the reporter: at a drain, everybody is told and let go. */
  readonly observe = (event: ReporterEvent): void => {
    if (event.type !== 'reporter-state') return;
    if (event.state !== 'draining' && event.state !== 'stopped') return;
    this.#bye ??= event.state;
    const bye: ByeEvent = { reason: this.#bye };
    const frame = eventFrame('bye', JSON.stringify(bye), this.#tick);
    for (const stream of this.#streams) stream.finish(frame);
  };

  /** To be called once a second. */
  tick(): void {
    this.#ticks++;
    if (this.#streams.size === 0) return;
    for (const stream of this.#streams) if (!stream.hasBegun) this.#begin(stream, null);
    const answer = this.#options.report();
    const shown = shownOf(answer);
    if (shown !== this.#reported || this.#ticks - this.#reportedAt >= REPORTER_TICKS) {
      this.#reported = shown;
      this.#reportedAt = this.#ticks;
      const frame = this.#reporterFrame(answer);
      for (const stream of this.#streams) stream.send(frame);
    }
    if (this.#ticks % COMMENT_TICKS === 0)
      for (const stream of this.#streams) stream.send(': still here\n\n');
  }

  async #open(query: URLSearchParams): Promise<Answer> {
    const isReporter = query.has('reporter');
    if (isReporter) {
      checkNames(query, ['reporter']);
      if (query.get('reporter') !== '') throw new Misasked('reporter takes no value');
    } else if (!this.#options.view.isEnabled) return VIEW_OFF;
    if (this.#bye !== undefined) return later(`the reporter is ${this.#bye}`, RETRY_FULL_S);
    if (this.#streams.size >= MAX_STREAMS)
      return later(`${MAX_STREAMS} streams are open already: ask /api/services now and then`, RETRY_FULL_S);
    const stream = new EventStream((tick) => this.#helloFrame(tick));
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    if (isReporter) this.#begin(stream, null);
    else {
      const refused = await this.#follow(stream, query);
      if (refused) return refused;
    }
    return {
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      body: stream,
      // Some proxies collect what they pass on.
      headers: { 'x-accel-buffering': 'no' },
    };
  }

  /** Has the view tell the stream; the answer when it does not. */
  async #follow(stream: EventStream, query: URLSearchParams): Promise<Answer | undefined> {
    const topic = query.size === 0 ? DEFAULT_TOPIC : query.toString();
    try {
      const unfollow = await this.#options.view.live.follow(topic, (event) => this.#tell(stream, event));
      if (stream.destroyed) unfollow();
      else stream.once('close', unfollow);
      return undefined;
    } catch (error) {
      stream.destroy();
      if (error instanceof ViewRefusal) return failure(400, error.message);
      if (error instanceof ViewUnavailable) return later(error.message);
      throw error;
    }
  }

  #tell(stream: EventStream, event: ViewEvent): void {
    this.#tick = event.id;
    if (!stream.hasBegun) this.#begin(stream, event.id);
    let frame = this.#frames.get(event);
    if (frame === undefined) {
      frame = eventFrame(event.event, event.data, event.id);
      this.#frames.set(event, frame);
    }
    stream.send(frame);
  }

  #begin(stream: EventStream, tick: number | null): void {
    stream.begin(tick);
    stream.send(this.#reporterFrame(this.#options.report()));
  }

  #helloFrame(tick: number | null): string {
    const { version, build, hasHistory: history = false } = this.#options;
    const hello: HelloEvent = { version, build, tick, now: new Date().toISOString(), history };
    return eventFrame('hello', JSON.stringify(hello), tick ?? undefined);
  }

  #reporterFrame(answer: ReporterAnswer): string {
    return eventFrame('reporter', JSON.stringify(answer), this.#tick);
  }
}

/** What counts as a change of the reporter. */
function shownOf({ state, problems, view }: ReporterAnswer): string {
  return JSON.stringify([state, view.state, problems.map(({ code, severity }) => [code, severity])]);
}
