import type { Mutant } from '../mutant.js';

/** What is told of the reporter. */
export const OBSERVE_MUTANTS: readonly Mutant[] = [
  {
    name: 'metric-renamed',
    breaks: 'An alert goes by a metric that is not there any more, and never fires.',
    edits: [
      { file: 'src/observe/metrics.ts', find: "'view_behind_seconds',", replace: "'view_lag_seconds'," },
    ],
    tests: [{ file: 'test/deploy/prometheus.test', titles: ['each metric that rules*'] }],
  },
];
