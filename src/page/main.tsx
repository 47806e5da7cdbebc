import { effect } from '@preact/signals';
import { render } from 'preact';
import { LEVELS } from '../view/shapes.js';
import { counts, href, moveClock, place, texts } from './live/app.js';
import { watchKeys } from './live/hotkeys.js';
import { connection, tick } from './live/liveness.js';
import { watchVisibility } from './live/stream.js';
import { CallerPage } from './pages/caller-page.js';
import { CallersPage } from './pages/callers-page.js';
import { ChangesPage } from './pages/changes-page.js';
import { HelpPage } from './pages/help-page.js';
import { HostPage, HostsPage } from './pages/hosts-page.js';
import { LoginPage } from './pages/login-page.js';
import { OverviewPage } from './pages/overview-page.js';
import { ReporterPage } from './pages/reporter-page.js';
import { ServicePage } from './pages/service-page.js';
import { Frame } from './parts/frame.js';
import { nextTheme, watchTheme } from './parts/preferences.js';
import { type PageName, readPlace } from './pure/page-address.js';

const PAGES: Readonly<Record<PageName, () => preact.JSX.Element | null>> = {
  overview: OverviewPage,
  service: ServicePage,
  hosts: HostsPage,
  host: HostPage,
  callers: CallersPage,
  caller: CallerPage,
  changes: ChangesPage,
  reporter: ReporterPage,
  help: HelpPage,
  unknown: UnknownPage,
};

function UnknownPage() {
  const { state } = texts.value;
  return (
    <section class="notice" data-state-of-page="unknown">
      <h1>{state.unknownPage}</h1>
      <p>
        <a href={href('')}>{state.backToOverview}</a>
      </p>
    </section>
  );
}

function App() {
  const { page, id } = place.value;
  const Page = PAGES[page];
  return <Frame>{connection.value.state === 'login' ? <LoginPage /> : <Page key={`${page} ${id}`} />}</Frame>;
}

/** The title of the window says what is wrong, worst first. */
function titleOf(): string {
  const { title, level: words } = texts.value;
  const lost = connection.value.state === 'lost' ? `${title.lost} – ` : '';
  const known = counts.value;
  if (!known) return `${lost}Lars`;
  const worst = [...LEVELS].reverse().find((level) => known[level] > 0);
  if (worst === undefined || worst === 'ok' || worst === 'noted') return `${lost}${title.calm} – Lars`;
  return `${lost}● ${title.trouble(known[worst], words[worst])} – Lars`;
}

const CLOCK_MS = 1000;

addEventListener('hashchange', () => {
  const before = place.value;
  place.value = readPlace(location.hash);
  if (before.page === place.value.page && before.id === place.value.id) return;
  scrollTo(0, 0);
  document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
});
setInterval(moveClock, CLOCK_MS);
watchTheme();
watchVisibility();
watchKeys(nextTheme);
effect(() => {
  document.title = titleOf();
});
effect(() => {
  document.documentElement.lang = texts.value.locale;
});
effect(() => {
  const { state } = connection.value;
  if (state !== 'connecting') document.body.dataset['connection'] = state;
  if (tick.value !== undefined) document.body.dataset['tick'] = String(tick.value);
});
render(<App />, document.body);
