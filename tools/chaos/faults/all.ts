import type { Site } from '../site.js';
import { agentFaults } from './agents.js';
import { boundFaults } from './bound.js';
import { certificateFaults } from './certificate.js';
import { databaseFaults } from './database.js';
import type { Fault } from './fault.js';
import { hostileFaults } from './hostile.js';
import { journalFaults } from './journal.js';
import { keeperFaults } from './keeper.js';
import { networkFaults } from './network.js';
import { refusalFaults } from './refusal.js';
import { reporterFaults } from './reporter.js';
import { sqlFaults } from './sql.js';

/** Every kind of fault there is. */
export function allFaults(site: Site): Fault[] {
  return [
    ...reporterFaults(site),
    ...keeperFaults(site),
    ...certificateFaults(site),
    ...databaseFaults(site),
    ...networkFaults(site),
    ...boundFaults(site),
    ...sqlFaults(site),
    ...refusalFaults(site),
    ...journalFaults(site),
    ...agentFaults(site),
    ...hostileFaults(site),
  ];
}
