import type { ExecutionContext } from 'ava';
import type { HistoryOptions } from '../../src/history/history.js';
import { type Row, RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { until } from '../../src/testing/index.js';
import { clockSetting, ThreadClock } from '../../src/view/feed/thread-clock.js';
import { ViewFeed } from '../../src/view/feed/view-feed.js';
import type { ViewPath } from '../../src/view/live.js';
import { ViewThread, type ViewThreadOptions } from '../../src/view/thread/view-thread.js';
import { DEFAULT_SETTINGS } from '../../src/view/view-settings.js';

export const BOUND = { boundMs: 20_000 };

/** A thread of the view, up, and the feed to it. `speed`: how fast its clock runs. */
export async function startThread(
  t: ExecutionContext,
  options: Partial<ViewThreadOptions> & {
    speed?: number;
    ringWords?: number;
    machinesFile?: string;
    names?: Readonly<Record<string, string>>;
    history?: HistoryOptions;
  } = {},
) {
  const { speed = 1, ringWords, machinesFile = null, names = {}, history = null, ...others } = options;
  const clock = new ThreadClock(clockSetting(speed));
  const feed = new ViewFeed(clock, ringWords);
  let ticks = 0;
  const thread = new ViewThread({
    feed,
    boot: { clock: clock.setting, settings: DEFAULT_SETTINGS, names, node: null, machinesFile, history },
    onUp: () => {},
    onComplaint: () => {},
    onDeath: () => {},
    ...others,
    onTick: (message) => {
      ticks++;
      others.onTick?.(message);
    },
  });
  t.teardown(() => thread.stop());
  if (!others.source) await until(() => thread.isUp, { ...BOUND, what: 'the thread to be up' });
  const ask = async <Answer>(path: ViewPath, params: Record<string, string> = {}, query = '') => {
    const { status, body } = await thread.request('ask', { path, params, query });
    return { status, answer: JSON.parse(Buffer.from(body).toString()) as Answer };
  };
  /** Two ticks: what was fed before is in the answers then. */
  const ticked = async () => {
    const now = ticks;
    await until(() => ticks >= now + 2, { ...BOUND, what: 'two ticks' });
  };
  return { thread, feed, clock, ask, ticked };
}

/** Packed, sent by the peer with this number. */
export function from(peer: number, rows: readonly Row[]): Int32Array<ArrayBuffer> {
  const words = new Int32Array(RowBatch.from(rows).words);
  for (let at = 0; at < words.length; at += WORDS_PER_ROW) words[at + TAG]! |= peer << 1;
  return words;
}
