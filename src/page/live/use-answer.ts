import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Change, Head, LevelCounts, ServicesAnswer } from '../../view/shapes.js';
import { announcement, counts, formats, hasHistory, lastChanges, texts } from './app.js';
import { connection, noteHead } from './liveness.js';
import type { ReporterAnswer } from './reporter-answer.js';
import { askReporter, noteReporter } from './reporter-health.js';
import { type AskError, ask } from './request.js';
import { follow } from './stream.js';

export interface Answered<Answer> {
  readonly answer: Signal<Answer | undefined>;
  readonly error: Signal<AskError | undefined>;
}

const EVERY_MS = 5000;
const MOST_CHANGES = 50;

/**
 * The answer to a question, asked again every 5 s while the page is live. The old answer stays until the next one
 * is there, also while the reporter is away. Nothing is asked for without a path.
 */
export function useAnswer<Answer extends object>(
  path: string | undefined,
  everyMs = EVERY_MS,
): Answered<Answer> {
  const answer = useSignal<Answer | undefined>(undefined);
  const error = useSignal<AskError | undefined>(undefined);
  const { state } = connection.value;
  const isLive = state === 'live' || state === 'connecting';
  useEffect(() => {
    answer.value = undefined;
    error.value = undefined;
  }, [path?.split('?')[0]]);
  useEffect(() => {
    if (!isLive || path === undefined) return;
    let isOver = false;
    const load = () =>
      ask<Answer>(path).then(
        (found) => {
          if (isOver) return;
          answer.value = found;
          error.value = undefined;
          noteHead(found as Partial<Head>);
        },
        (failure: AskError) => {
          if (!isOver && failure.status !== 0) error.value = failure;
        },
      );
    load();
    const timer = setInterval(() => {
      if (document.visibilityState !== 'hidden') load();
    }, everyMs);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [path, isLive, everyMs]);
  return { answer, error };
}

/** Listens to a topic, and takes from it what all pages take. */
export function useStream(
  topic: string,
  onEvent: (kind: string, data: unknown) => void = () => {},
  poll: () => Promise<void> = pollCounts,
): void {
  useEffect(
    () =>
      follow({
        topic,
        onEvent: (kind, data) => {
          takeCommon(kind, data);
          onEvent(kind, data);
        },
        poll: async () => {
          await poll();
          await askReporter();
        },
      }),
    [topic],
  );
}

/** What pages without a stream of their own listen to: how many services are at which level. */
export const COUNTS_TOPIC = 'view=services&limit=1';

async function pollCounts(): Promise<void> {
  const found = await ask<ServicesAnswer>('api/services?limit=1');
  counts.value = found.counts;
  noteHead(found);
}

function takeCommon(kind: string, data: unknown): void {
  if (kind === 'hello') {
    hasHistory.value = (data as { history?: boolean }).history === true;
    askReporter().catch(() => {});
  }
  // Events are of the same build as the page.
  if (kind === 'reporter') noteReporter(data as Partial<ReporterAnswer>);
  if (kind === 'services') counts.value = (data as { counts: LevelCounts }).counts;
  if (kind === 'change') takeChange(data);
}

const ANNOUNCE_MS = 10_000;
let announcedMs = 0;

function takeChange(data: unknown): void {
  const change = ('event' in Object(data) ? (data as { event: Change }).event : data) as Change;
  if (typeof change?.id !== 'number') return;
  lastChanges.value = [change, ...lastChanges.value.filter(({ id }) => id !== change.id)].slice(
    0,
    MOST_CHANGES,
  );
  if (change.kind !== 'incident-began' || Date.now() - announcedMs < ANNOUNCE_MS) return;
  announcedMs = Date.now();
  announcement.value = `${formats.value.clock(change.at)} ${
    texts.value.locale.startsWith('en')
      ? change.text
      : `${change.modid}/${change.cmdid} ${texts.value.changes.began.unknown}`
  }`;
}
