import type { ComponentChildren } from 'preact';
import { announcement, formats, href, nowMs, place, texts } from '../live/app.js';
import { asOf, connection } from '../live/liveness.js';
import { reporter } from '../live/reporter-health.js';
import { togglePause } from '../live/stream.js';
import { Banners } from './banners.js';
import { Mark } from './mark.js';
import { LanguageSwitch, ThemeSwitch } from './preferences.js';
import { SearchField } from './search-field.js';
import { viewHead } from './view-head.js';

/** Header, banners, and the page within. */
export function Frame({ children }: { readonly children: ComponentChildren }) {
  const { nav } = texts.value;
  const { node } = viewHead.value;
  // Before that there is nothing to go to, to search, or to pause.
  const isIn = connection.value.state !== 'login';
  return (
    <>
      <header class="bar">
        <button
          type="button"
          class="skip"
          onClick={() => document.querySelector<HTMLElement>('#main')?.focus()}
        >
          {nav.skip}
        </button>
        <a class="brand" href={href('')}>
          Lars{node !== null && <span class="node">{node}</span>}
        </a>
        {isIn && <Links />}
        {isIn && <SearchField />}
        <div class="pills">
          {isIn && <StatePill />}
          {isIn && <ReporterPill />}
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <Banners />
      <main id="main" tabIndex={-1} class={connection.value.state === 'lost' ? 'old' : ''}>
        {children}
      </main>
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement}
      </p>
    </>
  );
}

const LINKS = ['overview', 'hosts', 'callers', 'changes', 'reporter', 'help'] as const;
const UNDER: Readonly<Record<string, string>> = { service: 'overview', host: 'hosts', caller: 'callers' };

function Links() {
  const { nav } = texts.value;
  const { page } = place.value;
  const here = UNDER[page] ?? page;
  return (
    <nav aria-label={nav.main}>
      {LINKS.map((name) => (
        <a
          key={name}
          href={href(name === 'overview' ? '' : name)}
          aria-current={here === name ? 'page' : undefined}
        >
          {nav[name]}
        </a>
      ))}
    </nav>
  );
}

/** Whether what is shown is how it is. Pauses and goes on. */
function StatePill() {
  const { pill } = texts.value;
  const { state, heardMs } = connection.value;
  const clock = asOf.value === undefined ? '–' : formats.value.clock(asOf.value);
  // Read, so that the span below moves.
  const now = nowMs.value > 0 ? Date.now() : 0;
  const lostS = heardMs === null ? 0 : (now - heardMs) / 1000;
  const words = {
    live: pill.live(clock),
    paused: pill.paused(clock),
    lost: pill.lost(formats.value.span(lostS)),
    connecting: pill.connecting,
    login: pill.login,
  };
  return (
    <button
      type="button"
      class={`pill ${state}`}
      title={state === 'paused' ? pill.resume : pill.pause}
      onClick={togglePause}
    >
      <span class="dot" aria-hidden="true" />
      <span class="num">{words[state]}</span>
    </button>
  );
}

function ReporterPill() {
  const { pill } = texts.value;
  const known = reporter.value;
  const state = known?.state;
  const tone = state === undefined || state === 'starting' ? 'quiet' : state === 'ok' ? 'ok' : 'failing';
  return (
    <a class="pill" href={href('reporter')} data-reporter={state}>
      <Mark tone={tone} />
      {state === undefined ? pill.reporterUnknown : pill.reporter[state]}
    </a>
  );
}
