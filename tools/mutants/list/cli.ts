import type { Mutant } from '../mutant.js';

/** Commands. */
export const CLI_MUTANTS: readonly Mutant[] = [
  {
    name: 'log-waits',
    breaks: 'A terminal that nobody reads stops the service that logs on it.',
    edits: [
      {
        file: 'src/cli/outlet.ts',
        find: 'constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY',
        replace: 'constants.O_WRONLY | constants.O_NOCTTY',
      },
    ],
    tests: [{ file: 'test/cli/outlet.test', titles: ['a terminal that nobody reads*'] }],
  },
  {
    name: 'orphan-lives-on',
    breaks: 'A child whose keeper was killed goes on, and keeps the journal.',
    edits: [
      {
        file: 'src/cli/serve/kept.ts',
        find: "link.on('orphaned', () => void this.#orphaned());",
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/keeper-killed.test', titles: ['when the keeper is killed*'] }],
  },
  {
    name: 'incident-told-again',
    breaks: 'Who follows incidents is woken again and again by the same one.',
    edits: [
      {
        file: 'src/cli/incidents/telling.ts',
        find: 'if (!this.#running.has(id)) news',
        replace: 'news',
      },
    ],
    tests: [{ file: 'test/cli/incidents/telling.test' }],
  },
];
