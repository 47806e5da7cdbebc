import { computed, signal } from '@preact/signals';
import type { Change, LevelCounts } from '../../view/shapes.js';
import { Formats } from '../pure/formats.js';
import { address, readPlace } from '../pure/page-address.js';
import { chooseLanguage, LANGUAGES } from '../texts/languages.js';
import type { Texts } from '../texts/texts.js';

/** What several parts of the page look at. */

export const place = signal(readPlace(location.hash));
export const language = computed(() => chooseLanguage(place.value.params['lang'], navigator.languages));
export const texts = computed<Texts>(() => LANGUAGES[language.value]);
export const formats = computed(() => new Formats(texts.value.locale));

/** The reporter's clock, in milliseconds; moves once a second. */
export const nowMs = signal(Date.now());
let aheadMs = 0;

/** Services by level, as the reporter last said. */
export const counts = signal<LevelCounts | undefined>(undefined);
/** Whether the reporter keeps a history that can be asked for. */
export const hasHistory = signal(false);
/** Things that happened while the page is open, newest first. */
export const lastChanges = signal<readonly Change[]>([]);
/** Said to those who do not see the page. */
export const announcement = signal('');

/** Tells what the reporter's clock shows now; the browser's may be wrong. */
export function setClock(reporterMs: number): void {
  aheadMs = reporterMs - Date.now();
  moveClock();
}

export function moveClock(): void {
  nowMs.value = Date.now() + aheadMs;
}

type Params = Parameters<typeof address>[1];

/** A link within the page, which keeps the language. */
export function href(path: string, params: Params = {}): string {
  return address(path, { ...params, lang: place.value.params['lang'] });
}

/** Goes on from here with other parameters, which replace the address: back leaves the page. */
export function setParams(change: Params): void {
  const [path = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const next = address(path, { ...place.value.params, ...change });
  history.replaceState(null, '', next);
  place.value = readPlace(next);
}
