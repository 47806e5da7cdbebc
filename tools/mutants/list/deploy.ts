import type { Mutant } from '../mutant.js';

/** What sites take of `deploy/`. */
export const DEPLOY_MUTANTS: readonly Mutant[] = [
  {
    name: 'outage-without-alert',
    breaks: 'Nobody is woken up when a service is out.',
    edits: [
      {
        file: 'deploy/prometheus/lars-reporter.rules.yml',
        find: 'lars_reporter_service_level >= 4',
        replace: 'lars_reporter_service_level > 4',
      },
    ],
    tests: [
      { file: 'test/deploy/alerts.test', titles: ['each alert fires*', 'the alerts fire of what*disk*'] },
    ],
  },
  {
    name: 'unit-with-few-files',
    breaks: 'A site that follows the unit refuses agents long before listen.maxConnections.',
    edits: [
      {
        file: 'deploy/systemd/lars-reporter.service',
        find: 'LimitNOFILE=65536',
        replace: 'LimitNOFILE=8192',
      },
    ],
    tests: [{ file: 'test/deploy/units.test', titles: ['the limits of the unit*'] }],
  },
];
