import type { JSX } from 'preact';
import type { Tone } from '../pure/verdicts.js';

/** Tells states apart without colour. */
const SHAPES: Readonly<Record<Tone, () => JSX.Element>> = {
  outage: () => <circle cx="6" cy="6" r="5.5" />,
  overloaded: () => <path d="M6 .8 11.6 11H.4z" />,
  failing: () => <rect x="1" y="1" width="10" height="10" rx="1" />,
  noted: () => <path d="M6 .5 11.5 6 6 11.5.5 6z" />,
  ok: () => <circle cx="6" cy="6" r="3.2" class="hollow" />,
  quiet: () => <path d="M2 6h8" class="hollow" />,
};

/** The shape of a state; the word stands beside it. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[tone]()}
    </svg>
  );
}

/** Shape and word. */
export function State({ tone, word }: { readonly tone: Tone; readonly word: string }) {
  return (
    <span class={`state tone-${tone}`}>
      <Mark tone={tone} />
      <span class="word">{word}</span>
    </span>
  );
}
