import type { Freshness, HostState, Level, ReasonCode, Summary, VoiceState } from '../../view/shapes.js';
import type { CellState } from '../pure/verdicts.js';
import type { Of, PageTexts, Written } from './page-texts.js';

export const PROBLEM_CODES = [
  'store-away',
  'store-refuses',
  'behind',
  'journal-failing',
  'writer-restarting',
  'writer-failing',
  'dead-letters',
  'quarantine',
  'unbalanced',
  'backpressure',
  'connections-refused',
  'certificate-ends',
  'loop-slow',
  'view-behind',
  'view-mismatch',
  'history-stopped',
  'clock-stepped',
  'agents-gone',
  'shared-callers',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** Everything the page says, in one language. */
export interface Texts extends PageTexts {
  /** What the language calls itself. */
  readonly language: string;
  /** For numbers and times. */
  readonly locale: string;
  readonly nav: Of<
    | 'main'
    | 'overview'
    | 'hosts'
    | 'callers'
    | 'changes'
    | 'reporter'
    | 'help'
    | 'skip'
    | 'search'
    | 'searchLabel'
    | 'language'
  > & { readonly theme: Of<'auto' | 'light' | 'dark'> };
  readonly level: Of<Level>;
  readonly levelMeans: Of<Level>;
  readonly hostState: Of<HostState>;
  readonly verdict: Of<CellState>;
  readonly freshness: Of<Freshness>;
  readonly voiceState: Of<VoiceState>;
  readonly pill: Of<'connecting' | 'login' | 'pause' | 'resume' | 'reporterUnknown'> & {
    readonly live: Written;
    readonly paused: Written;
    readonly lost: Written;
    readonly reporter: Of<'ok' | 'unwell' | 'starting' | 'draining'>;
  };
  readonly title: Of<'calm' | 'lost'> & { readonly trouble: (count: number, level: string) => string };
  readonly banner: Of<
    'retry' | 'paused' | 'polling' | 'draining' | 'starting' | 'newBuild' | 'reload' | 'details'
  > & {
    readonly lost: (clock: string, wait: string | null) => string;
    readonly warming: Written;
    readonly viewBehind: Written;
    readonly sampled: Written;
    readonly since: Written;
  };
  /** What is wrong, and what it means for what is shown. */
  readonly problem: Readonly<Record<ProblemCode, readonly [what: string, means: string]>>;
  readonly state: Of<
    | 'loading'
    | 'none'
    | 'noReports'
    | 'failed'
    | 'noneTry'
    | 'noMatch'
    | 'clear'
    | 'noLonger'
    | 'backToOverview'
    | 'unknownPage'
    | 'off'
  > & {};
  readonly login: Of<'title' | 'label' | 'submit' | 'wrong' | 'tooMany' | 'failed'>;
  readonly ago: Written;
  readonly now: string;
  readonly never: string;
  readonly unknown: string;
  readonly of: (a: string, b: string) => string;
  readonly since: (clock: string, span: string) => string;
  /** `text`: the reporter's own words, which are English. */
  readonly reason: (
    code: ReasonCode,
    numbers: Pick<Summary, 'hosts' | 'callers' | 'calls'>,
    text: string,
  ) => string;
}
