import { en } from './en.js';
import type { Texts } from './texts.js';
import { zh } from './zh.js';

/** By their short name, as it stands in the address. */
export const LANGUAGES = { en, zh } as const satisfies Readonly<Record<string, Texts>>;
export type Language = keyof typeof LANGUAGES;

/** The language that the address asks for, else the first of the browser's that there is, else English. */
export function chooseLanguage(asked: string | undefined, preferred: readonly string[]): Language {
  const names = [asked ?? '', ...preferred].map((name) => name.toLowerCase().split('-')[0]);
  return names.find((name): name is Language => name !== undefined && name in LANGUAGES) ?? 'en';
}
