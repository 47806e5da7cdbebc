import type { Mutant } from '../mutant.js';

const MODEL = 'whatever happens, the newest report*';

/** The side of the agent. */
export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'not-sent-again',
    breaks: 'What was written to a connection that broke before it was read is never sent again.',
    edits: [{ file: 'src/client/reporting-agent.ts', find: 'this.#outbox.sendAgain();', replace: '' }],
    tests: [
      {
        file: 'test/client/reporting-agent.test',
        titles: ['what was written and not read*', 'whatever becomes of connections*'],
      },
    ],
  },
  {
    name: 'lost-batch-forgotten',
    breaks: 'Reports whose writing failed wait no more.',
    edits: [
      {
        file: 'src/client/outbox.ts',
        find: 'else if (newest === entry) this.#wait(entry);',
        replace: 'else if (newest === entry) this.#kept.delete(entry.id);',
      },
    ],
    tests: [{ file: 'test/client/outbox.test', titles: [MODEL] }],
  },
  {
    name: 'outbox-without-bound',
    breaks: 'An agent without a connection holds any number of services.',
    edits: [
      {
        file: 'src/client/outbox.ts',
        find: 'while (this.#entries.size > maxServices || this.#bytes > maxBytes) {',
        replace: 'while (this.#bytes > maxBytes) {',
      },
    ],
    tests: [
      { file: 'test/client/outbox.test', titles: ['the bounds on services*'] },
      { file: 'test/client/reporting-agent.test', titles: ['beyond its limits*'] },
    ],
  },
  {
    name: 'drop-not-said',
    breaks: 'A report that was evicted while it was being written, and was not, is counted nowhere.',
    edits: [{ file: 'src/client/outbox.ts', find: 'else if (!newest) this.#lose(entry);', replace: '' }],
    tests: [{ file: 'test/client/outbox.test', titles: ['the bounds on services*'] }],
  },
];
