import { setClock } from './app.js';
import { connection, isNewBuild, noteHead, setConnection } from './liveness.js';
import { AskError, ask } from './request.js';
import { giveStreamUp, mayStream } from './tabs.js';

/** Who listens: one at a time, the page that is shown. */
export interface Follower {
  /** Query of `api/events`. */
  readonly topic: string;
  onEvent(kind: string, data: unknown): void;
  /** Asks for what the stream would have told. */
  poll(): Promise<void>;
}

const EVENTS = ['services', 'service', 'reporter', 'change'];
const LOST_MS = 3000;
const POLL_MS = 5000;
const POLLS = 12;
/** The reporter says something every 5 s. */
const SILENT_MS = 20_000;
const HIDDEN_MS = 30_000;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];

let follower: Follower | undefined;
let source: EventSource | undefined;
let build: string | undefined;
let failures = 0;
/** Counts attempts: what an older one still hears is not listened to. */
let attempt = 0;
type TimerName = 'retry' | 'lost' | 'silent' | 'hidden' | 'poll';
const timers = new Map<TimerName, ReturnType<typeof setTimeout>>();

function after(name: TimerName, ms: number, act: () => void): void {
  stop(name);
  timers.set(
    name,
    setTimeout(() => {
      timers.delete(name);
      act();
    }, ms),
  );
}

function stop(...names: TimerName[]): void {
  for (const name of names) {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }
}

/** Nothing is heard: after a while that is said. */
function awaitWord(): void {
  if (!timers.has('lost')) after('lost', LOST_MS, lose);
}

/** Listens in place of who listened before. Returns what ends it. */
export function follow(next: Follower): () => void {
  follower = next;
  open();
  return () => {
    if (follower !== next) return;
    follower = undefined;
    close();
  };
}

/** Tries at once. */
export function retry(): void {
  failures = 0;
  open();
}

export function togglePause(): void {
  const { state, heardMs } = connection.value;
  if (state === 'login') return;
  if (state !== 'paused') {
    close();
    stop('lost');
    setConnection({ state: 'paused', retryMs: null, isPolling: false });
    return;
  }
  setConnection({ state: heardMs === null ? 'connecting' : 'live' });
  retry();
}

/** After the token was taken. */
export function connectAgain(): void {
  setConnection({ state: 'connecting' });
  retry();
}

/** A page that nobody sees takes no connection. */
export function watchVisibility(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      after('hidden', HIDDEN_MS, hide);
    } else {
      stop('hidden');
      if (!source) retry();
    }
  });
}

function hide(): void {
  close();
  stop('lost');
}

function close(): void {
  attempt++;
  source?.close();
  source = undefined;
  giveStreamUp();
  stop('retry', 'silent', 'poll');
}

async function open(): Promise<void> {
  const { state } = connection.value;
  close();
  if (!follower || state === 'paused' || state === 'login' || document.visibilityState === 'hidden') return;
  const mine = attempt;
  awaitWord();
  setConnection({ retryMs: null });
  const isAllowed = await mayStream();
  if (mine !== attempt || !follower) return;
  if (!isAllowed) {
    poll(POLLS);
    return;
  }
  listen(follower, mine);
}

function listen({ topic }: Follower, mine: number): void {
  const stream = new EventSource(`api/events?${topic}`);
  source = stream;
  const hear = (kind: string) => (event: MessageEvent<string>) => {
    if (mine === attempt) take(kind, JSON.parse(event.data));
  };
  for (const kind of ['hello', 'bye', ...EVENTS]) stream.addEventListener(kind, hear(kind));
  stream.addEventListener('error', () => {
    if (mine === attempt) fail();
  });
}

function take(kind: string, data: Record<string, unknown>): void {
  heard();
  after('silent', SILENT_MS, fail);
  if (kind === 'hello') {
    const { now, build: theirs } = data;
    const nowMs = typeof now === 'number' ? now : Date.parse(String(now));
    if (!Number.isNaN(nowMs)) setClock(nowMs);
    if (typeof theirs === 'string') {
      if (build !== undefined && build !== theirs) isNewBuild.value = true;
      build ??= theirs;
    }
  }
  noteHead(data);
  follower?.onEvent(kind, data);
}

function heard(): void {
  failures = 0;
  stop('lost');
  setConnection({ state: 'live', heardMs: Date.now(), retryMs: null, isPolling: source === undefined });
}

/** The stream ended. Asks why: a token may be needed, or the stream alone is refused. */
async function fail(): Promise<void> {
  close();
  awaitWord();
  const mine = attempt;
  const status = await ask('api/reporter').then(
    () => 200,
    (error: AskError) => error.status,
  );
  if (mine !== attempt || connection.value.state === 'login') return;
  failures++;
  if (status !== 0 && failures > 1) {
    poll(POLLS);
    return;
  }
  const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1]!;
  setConnection({ retryMs: Date.now() + pause });
  after('retry', pause, open);
}

function lose(): void {
  if (connection.value.state !== 'login') setConnection({ state: 'lost' });
}

/** Asks every 5 s; after so many times it is tried to listen again. */
async function poll(left: number): Promise<void> {
  if (!follower) return;
  const mine = attempt;
  try {
    await follower.poll();
    if (mine === attempt) heard();
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    if (mine !== attempt || connection.value.state === 'login') return;
    if (error.status === 0) {
      fail();
      return;
    }
    heard();
  }
  if (mine === attempt) after('poll', POLL_MS, () => (left > 1 ? poll(left - 1) : open()));
}
