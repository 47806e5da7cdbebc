import type { Mutant } from '../mutant.js';

/** What is told of what happens. */
export const OBSERVE_MUTANTS: readonly Mutant[] = [
  {
    name: 'collector-holds-up-end',
    breaks: 'A collector that does not answer holds up the end of the process.',
    edits: [
      {
        file: 'src/observe/telemetry/telemetry.ts',
        find: 'await Promise.race([ended, timeUp]);',
        replace: 'await ended;',
      },
    ],
    tests: [{ file: 'test/observe/telemetry/telemetry.test', titles: ['sending what is left ends*'] }],
  },
  {
    name: 'store-words-in-spans',
    breaks: 'What the store says of a row leaves the reporter in a span.',
    edits: [
      {
        file: 'src/observe/telemetry/batch-traces.ts',
        find: 'code: this.#api.SpanStatusCode.ERROR }',
        replace: 'code: this.#api.SpanStatusCode.ERROR, message: error.message }',
      },
    ],
    tests: [{ file: 'test/observe/telemetry/telemetry.test', titles: ['spans tell the class*'] }],
  },
  {
    name: 'metric-renamed',
    breaks: 'An alert goes by a metric that is not there any more, and never fires.',
    edits: [
      { file: 'src/observe/metrics.ts', find: "'view_behind_seconds',", replace: "'view_lag_seconds'," },
    ],
    tests: [{ file: 'test/deploy/prometheus.test', titles: ['each metric that rules*'] }],
  },
];
