import type { Mutant } from '../mutant.js';

/** Commands. */
export const CLI_MUTANTS: readonly Mutant[] = [
  {
    name: 'forget-ignores-clocks',
    breaks: 'Rows that are reported by a machine whose clock is far behind are forgotten.',
    edits: [
      {
        file: 'src/cli/forget/command.ts',
        find: 'row.ts < beforeS && !clocks.callers.has(row.caller);',
        replace: 'row.ts < beforeS;',
      },
    ],
    tests: [{ file: 'test/cli/forget.test', titles: ['rows of a caller that reports*'] }],
  },
  {
    name: 'forget-beside-embedded-writer',
    breaks: 'Two processes write an embedded store.',
    edits: [
      {
        file: 'src/cli/forget/command.ts',
        find: "if (error.code === 'JOURNAL_IN_USE')",
        replace: "if (error.code === 'JOURNAL_VERSION')",
      },
    ],
    tests: [{ file: 'test/cli/forget.test', titles: ['an embedded store forgets*'] }],
  },
  {
    name: 'doctor-calls-it-a-warning',
    breaks: 'A script takes for a warning what keeps the reporter from working.',
    edits: [
      { file: 'src/cli/doctor/command.ts', find: 'critical: EXIT_USAGE,', replace: 'critical: EXIT_FAILED,' },
    ],
    tests: [{ file: 'test/cli/doctor.test', titles: ['a port that somebody else has*'] }],
  },
  {
    name: 'history-unexamined',
    breaks: 'doctor does not look at the folder of the history.',
    edits: [
      {
        file: 'src/cli/doctor/look-at-folders.ts',
        find: 'if (history.enabled)',
        replace: 'if (history.maxBytes < 0)',
      },
    ],
    tests: [{ file: 'test/cli/doctor.test', titles: ['the folder of the history*'] }],
  },
  {
    name: 'missing-packages-unsaid',
    breaks: 'doctor says nothing where a reporter cannot start for want of the packages of OpenTelemetry.',
    edits: [
      {
        file: 'src/cli/doctor/look-at-configuration.ts',
        find: 'if (otlpUrl === undefined) return [];',
        replace: 'if (otlpUrl !== null) return [];',
      },
    ],
    tests: [{ file: 'test/cli/doctor.test', titles: ['packages of OpenTelemetry*'] }],
  },
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
  {
    name: 'token-for-anybody',
    breaks: 'Commands give the token to whoever answers over TLS.',
    edits: [
      {
        file: 'src/cli/admin-client.ts',
        find: 'if (isIt || socket.authorized) {',
        replace: 'if (isIt || socket.encrypted) {',
      },
    ],
    tests: [{ file: 'test/keeper/admin-tls.test', titles: ['commands believe*'] }],
  },
];
