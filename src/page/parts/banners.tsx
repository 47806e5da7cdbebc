import type { ComponentChildren } from 'preact';
import { formats, href, nowMs, texts } from '../live/app.js';
import { asOf, connection, isNewBuild } from '../live/liveness.js';
import type { Problem } from '../live/reporter-answer.js';
import { reporter } from '../live/reporter-health.js';
import { retry, togglePause } from '../live/stream.js';
import { secondsSince } from '../pure/formats.js';
import { problemWords } from './problem-words.js';
import { viewHead } from './view-head.js';

/** What tests and style sheets know some problems by. */
const NAMES: Readonly<Record<string, string>> = {
  'store-refuses': 'store-away',
  'journal-failing': 'journal',
};
/** The pill is enough for the others. */
const LOUD = [
  'store-away',
  'store-refuses',
  'behind',
  'journal-failing',
  'agents-gone',
  'writer-failing',
  'unbalanced',
];

/** One line for each thing that makes the page less than the truth. */
export function Banners() {
  const { banner, pill } = texts.value;
  const known = reporter.value;
  const { state, isPolling } = connection.value;
  const { warming, behind, sampled } = viewHead.value;
  const problems = (known?.problems ?? []).filter(({ code }) => LOUD.includes(code));
  return (
    <div class="banners">
      {state === 'lost' && <Lost />}
      {isNewBuild.value && (
        <Banner name="new-build" tone="info">
          {banner.newBuild}{' '}
          <button type="button" onClick={() => location.reload()}>
            {banner.reload}
          </button>
        </Banner>
      )}
      {known?.state === 'draining' && <Banner name="draining">{banner.draining}</Banner>}
      {known?.state === 'starting' && <Banner name="starting">{banner.starting}</Banner>}
      {problems.map((problem) => (
        <ProblemBanner key={problem.code} problem={problem} />
      ))}
      {warming && (
        <Banner name="warming" tone="info">
          {banner.warming(formats.value.count(warming.rows))}
        </Banner>
      )}
      {behind && behind.seconds > 0 && (
        <Banner name="view-behind">{banner.viewBehind(formats.value.span(behind.seconds))}</Banner>
      )}
      {sampled !== undefined && (
        <Banner name="sampled" tone="info">
          {banner.sampled(formats.value.share(sampled))}
        </Banner>
      )}
      {state === 'paused' && (
        <Banner name="paused" tone="info">
          {banner.paused}{' '}
          <button type="button" onClick={togglePause}>
            {pill.resume}
          </button>
        </Banner>
      )}
      {isPolling && (
        <Banner name="polling" tone="info">
          {banner.polling}
        </Banner>
      )}
    </div>
  );
}

interface Props {
  readonly name: string;
  readonly tone?: 'alarm' | 'info';
  readonly children: ComponentChildren;
}

function Banner({ name, tone = 'alarm', children }: Props) {
  return (
    <div class={`banner ${tone}`} role={tone === 'alarm' ? 'alert' : 'status'} data-banner={name}>
      <p>{children}</p>
    </div>
  );
}

function Lost() {
  const { banner } = texts.value;
  const { retryMs } = connection.value;
  const clock = asOf.value === undefined ? '–' : formats.value.clock(asOf.value);
  // Read, so that the countdown moves.
  const now = nowMs.value > 0 ? Date.now() : 0;
  const wait =
    retryMs === null || retryMs <= now ? null : formats.value.span(Math.ceil((retryMs - now) / 1000));
  return (
    <div class="banner alarm" data-banner="lost">
      <p>
        {/* The countdown is not read out each second. */}
        <span role="alert">{banner.lost(clock, null).split('.')[0]}</span>
        <span aria-hidden="true"> {banner.lost(clock, wait)}</span>
        <button type="button" onClick={retry}>
          {banner.retry}
        </button>
      </p>
    </div>
  );
}

function ProblemBanner({ problem }: { readonly problem: Problem }) {
  const { banner } = texts.value;
  const { what, means } = problemWords(problem);
  const { since, code } = problem;
  return (
    <Banner name={NAMES[code] ?? code}>
      <b>{what}</b>
      {since !== null && ` ${banner.since(formats.value.span(secondsSince(since, nowMs.value)))}`}. {means}{' '}
      <a href={href('reporter')}>{banner.details}</a>
    </Banner>
  );
}
