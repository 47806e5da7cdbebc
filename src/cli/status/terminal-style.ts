import type { HostState, Level, Verdict } from '../../view/shapes.js';

/** What the lines are made for. */
export interface Medium {
  /** Columns of a line; infinite where nobody sees it. */
  readonly width: number;
  readonly colours: boolean;
  /** Whether a shape stands in front of what is not well. */
  readonly shapes: boolean;
  /** Whether more than ASCII can be shown. */
  readonly unicode: boolean;
}

export interface Surroundings {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** `--no-color` */
  readonly noColour: boolean;
}

const MIN_WIDTH = 60;

/** What standard output can show. */
export function mediumOf({ isTerminal, columns, env, noColour }: Surroundings): Medium {
  const {
    NO_COLOR: never = '',
    FORCE_COLOR: forced = '',
    TERM: term,
    COLUMNS: asked = '',
    LC_ALL: all = '',
    LC_CTYPE: type = '',
    LANG: language = '',
  } = env;
  const isForced = forced !== '' && forced !== '0';
  const isRefused = noColour || never !== '' || forced === '0';
  const known = columns ?? (/^\d{1,5}$/.test(asked) ? Number(asked) : Number.POSITIVE_INFINITY);
  return {
    width: Math.max(MIN_WIDTH, known),
    colours: !isRefused && (isForced || (isTerminal && term !== 'dumb')),
    shapes: isTerminal || isForced,
    unicode: /utf-?8/i.test(all || type || language),
  };
}

export type Tone = 'outage' | 'bad' | 'warn' | 'note' | 'good' | 'dim' | 'bold' | 'chosen';

const CODES: Readonly<Record<Tone, string>> = {
  outage: '1;37;41',
  bad: '1;31',
  warn: '33',
  note: '36',
  good: '32',
  dim: '2',
  bold: '1',
  chosen: '7',
};

/** `text` in a colour, where there are colours. */
export function painted(text: string, tone: Tone | undefined, { colours }: Medium): string {
  return colours && tone !== undefined && text !== '' ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text;
}

const TONES: Readonly<Record<Level | HostState | Verdict, Tone | undefined>> = {
  outage: 'outage',
  overloaded: 'bad',
  disputed: 'warn',
  failing: 'warn',
  noted: 'note',
  ok: 'good',
  idle: undefined,
  stale: 'dim',
  withdrawn: 'dim',
};

export function toneOf(state: Level | HostState | Verdict): Tone | undefined {
  return TONES[state];
}

const SHAPES: Readonly<Record<Level | HostState | Verdict, readonly [unicode: string, ascii: string]>> = {
  outage: ['●', '@'],
  overloaded: ['▲', '^'],
  disputed: ['◭', '%'],
  failing: ['■', '#'],
  noted: ['◆', '*'],
  ok: ['○', 'o'],
  idle: ['○', 'o'],
  stale: ['·', '.'],
  withdrawn: ['·', '.'],
};

/** Tells states apart for those who see no colours. Empty where no shapes are shown. */
export function shapeOf(state: Level | HostState | Verdict, { shapes, unicode }: Medium): string {
  return shapes ? SHAPES[state][unicode ? 0 : 1] : '';
}

export function separator({ unicode }: Medium): string {
  return unicode ? ' · ' : ' | ';
}

/** Stands for what is not known. */
export function unknown({ unicode }: Medium): string {
  return unicode ? '–' : '-';
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;
const BARE = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Columns that a text takes on a terminal: names of services may be Chinese. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += BARE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** `text` in `width` columns at most. */
export function cut(text: string, width: number, { unicode }: Medium): string {
  if (widthOf(text) <= width) return text;
  const end = unicode ? '…' : '...';
  if (width < end.length) return '';
  let kept = '';
  let used = end.length;
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}${end}`;
}

/** A part of a line, its colour, and what stands before it when that is no separator. */
export type Part = readonly [text: string, tone?: Tone | undefined, before?: string];

/** Parts of one line, with separators between them, in the width there is. */
export function joined(parts: readonly Part[], medium: Medium): string {
  let room = medium.width;
  let line = '';
  for (const [index, [text, tone, between = separator(medium)]] of parts.entries()) {
    const before = index === 0 ? '' : between;
    const shown = cut(before + text, room, medium);
    room -= widthOf(shown);
    line += shown.startsWith(before) ? before + painted(shown.slice(before.length), tone, medium) : shown;
    if (shown !== before + text) break;
  }
  return line;
}

/** What others wrote, without what a terminal would obey. */
export function clean(text: string, { unicode }: Medium): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ');
  return unicode ? line : line.replaceAll(/[^\x20-\x7e]/g, '?');
}
