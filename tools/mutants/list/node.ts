import type { Mutant } from '../mutant.js';

/** The builders of the stages, and what they connect. */
export const NODE_MUTANTS: readonly Mutant[] = [
  {
    name: 'limit-of-the-start',
    breaks: 'A reload says that listen.maxConnections has changed in place, and the old one holds.',
    edits: [
      {
        file: 'src/node/open-intake.ts',
        find: 'if (this.#listen.maxConnections !== this.#configured) this.#look();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/reload.test', titles: ['limits, time-outs*'] }],
  },
  {
    name: 'crashed-writer-not-read-again',
    breaks: 'What a writer journaled when it crashed is never in the view.',
    edits: [
      {
        file: 'src/node/start-view.ts',
        find: "if (event.type === 'writer-recovered' && event.restarts > 0) this.#feed.lost(event.partition);",
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/view.test', titles: ['what a writer journals when it crashes*'] }],
  },
  {
    name: 'writers-recover-alone',
    breaks: 'When the store takes rows again, writers find out one by one, each at the end of its pause.',
    edits: [{ file: 'src/node/start-writers.ts', find: 'writer.hurry();', replace: 'void writer;' }],
    tests: [{ file: 'test/faults/slow.test', titles: ['when the store takes rows of one writer again*'] }],
  },
  {
    name: 'parent-unwatched',
    breaks: 'A reporter whose parent has stopped goes on holding its port, deaf.',
    edits: [
      {
        file: 'src/node/ways-to-end.ts',
        find: "void end('parent-stopped');",
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/ending.test', titles: ['a reporter whose system stops*'] }],
  },
  {
    name: 'signal-unheard',
    breaks: 'A reporter does not stop when the signal of the host is aborted.',
    edits: [
      {
        file: 'src/node/ways-to-end.ts',
        find: "signal?.addEventListener('abort', abort, { once: true });",
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/ending.test', titles: ['a signal that is aborted later*'] }],
  },
  {
    name: 'start-not-given-up',
    breaks: 'A start goes on although the host has given it up.',
    edits: [
      {
        file: 'src/node/open-store.ts',
        find: 'if (signal.aborted) abort();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/ending.test', titles: ['a signal that is aborted while the store*'] }],
  },
  {
    name: 'incident-twice',
    breaks: 'After the clock was set, an incident that runs gets a second row in the table of incidents.',
    edits: [
      {
        file: 'src/node/incident-copy.ts',
        find: 'began: began ?? Date.parse(incident.began) / 1000,',
        replace: 'began: Date.parse(incident.began) / 1000,',
      },
    ],
    tests: [{ file: 'test/store/mysql/mysql-incidents.test', titles: ['incidents are in the table*'] }],
  },
];
