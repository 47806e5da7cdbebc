import { texts } from '../live/app.js';
import type { Problem } from '../live/reporter-answer.js';
import { PROBLEM_CODES } from '../texts/texts.js';

/** A problem in the language of the page; one that it does not know, in the reporter's own words. */
export function problemWords(problem: Problem): { readonly what: string; readonly means: string } {
  const code = PROBLEM_CODES.find((one) => one === problem.code);
  if (code === undefined) return { what: problem.text, means: problem.means ?? '' };
  const [what, means] = texts.value.problem[code];
  return { what, means };
}
