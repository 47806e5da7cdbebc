import { signal } from '@preact/signals';
import { language, setParams, texts } from '../live/app.js';
import { LANGUAGES, type Language } from '../texts/languages.js';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'lars-theme';
const ICONS: Readonly<Record<Theme, string>> = {
  auto: 'M8 2a6 6 0 0 0 0 12zM8 2a6 6 0 0 1 0 12',
  light:
    'M8 4.8a3.2 3.2 0 1 0 .01 0zM8 .8v1.8M8 13.4v1.8M.8 8h1.8M13.4 8h1.8M2.9 2.9l1.3 1.3M11.8 11.8l1.3 1.3M13.1 2.9l-1.3 1.3M4.2 11.8l-1.3 1.3',
  dark: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z',
};

const theme = signal<Theme>(storedTheme());

function storedTheme(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** Puts the theme in place, now and when it changes. */
export function watchTheme(): void {
  theme.subscribe((value) => {
    const { dataset } = document.documentElement;
    if (value === 'auto') delete dataset['theme'];
    else dataset['theme'] = value;
  });
}

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without storage it holds for this page.
  }
}

export function ThemeSwitch() {
  const word = texts.value.nav.theme[theme.value];
  return (
    <button type="button" class="icon" title={`${word} (t)`} aria-label={word} onClick={nextTheme}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {theme.value === 'auto' && <path class="icon-dark" d="M8 2a6 6 0 0 0 0 12z" />}
        <path class={`icon-${theme.value}`} d={ICONS[theme.value]} />
      </svg>
    </button>
  );
}

/** Each language in its own words. */
export function LanguageSwitch() {
  const names = Object.keys(LANGUAGES) as Language[];
  const other = names.find((name) => name !== language.value) ?? 'en';
  return (
    <button
      type="button"
      class="icon language"
      lang={LANGUAGES[other].locale}
      aria-label={`${texts.value.nav.language}: ${LANGUAGES[other].language}`}
      onClick={() => setParams({ lang: other })}
    >
      {other === 'zh' ? '中' : 'EN'}
    </button>
  );
}
