import { href, place } from './app.js';
import { togglePause } from './stream.js';
import { applyOrder } from './use-calm.js';

const GO: Readonly<Record<string, string>> = { o: '', c: 'changes', h: 'hosts', a: 'callers', r: 'reporter' };
const CHORD_MS = 1500;
let goSince = 0;

/** Keys without a modifier, outside of fields. `nextTheme`: what `t` does. */
export function watchKeys(nextTheme: () => void): void {
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || event.defaultPrevented) return;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (key === 'Escape') {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return;
    }
    if (isField && target.type !== 'checkbox') return;
    if (act(key, nextTheme)) event.preventDefault();
  });
}

function act(key: string, nextTheme: () => void): boolean {
  const isChord = Date.now() - goSince < CHORD_MS;
  goSince = 0;
  const to = isChord ? GO[key] : undefined;
  if (to !== undefined) {
    location.hash = href(to);
    return true;
  }
  const actions: Readonly<Record<string, () => void>> = {
    g: () => {
      goSince = Date.now();
    },
    '/': () => document.querySelector<HTMLInputElement>('#search')?.focus(),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    u: goUp,
    p: togglePause,
    '.': applyOrder,
    t: nextTheme,
    '?': () => {
      location.hash = href('help');
    },
  };
  const isRowKey = key.startsWith('Arrow') && !isInRow();
  if (isRowKey || !(key in actions)) return false;
  actions[key]?.();
  return true;
}

const ROWS = 'main .row-link, main tbody th[scope=row] > a:first-of-type';

function isInRow(): boolean {
  return document.activeElement?.matches(ROWS) ?? false;
}

function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const { activeElement } = document;
  const at = activeElement instanceof HTMLElement ? links.indexOf(activeElement) : -1;
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  links[next]?.focus();
}

function goUp(): void {
  const { page } = place.value;
  location.hash = href(page === 'host' ? 'hosts' : page === 'caller' ? 'callers' : '');
}
