import type { ProblemCode } from './problems.js';

/** What a problem means for the data, for people who do not know how the reporter works. */
export const MEANS: Readonly<Record<ProblemCode, string>> = {
  'journal-failing':
    'Nothing new is taken: agents wait, and report again when they can. What was journaled is safe.',
  'writer-failing':
    'Rows of its services wait, and their agents are slowed down. Other services are not affected.',
  unbalanced: 'Rows may be lost or counted twice. This is a bug: keep the log and report it.',
  'store-refuses':
    'The table gets older. Reports are journaled and shown here; they are stored when the store takes rows again.',
  'store-away':
    'The table gets older. Reports are journaled and shown here; they are stored when the store is back.',
  behind: 'The table is that much older than what is shown here. Nothing is lost.',
  backpressure: 'Agents are slowed down: the journal does not keep up with what they send.',
  'writer-restarting': 'Rows of its services wait a moment. Nothing is lost.',
  'connections-refused': 'Agents that were refused stay silent until they are restarted.',
  'certificate-ends':
    'When it has ended, agents with TLS cannot connect any more; connections that are open go on. Agents without TLS are not affected.',
  'dead-letters':
    'The table keeps an older value of these keys, or none. All other rows are stored as always.',
  quarantine: 'What these records held may be missing in the table until agents report it again.',
  'loop-slow': 'The process gets too little of the processor, or waits for a disk: everything takes longer.',
  'view-behind': 'What is shown here may be older than the table. The table and the agents are not affected.',
  'view-mismatch': 'A count shown here was wrong for a moment. This is a bug: keep the log and report it.',
  'history-stopped':
    'Plots get a gap, and what happens now may be missing in the history. Live state, table and agents are not affected.',
  'agents-gone': 'Nothing is known of the calls of these machines. Original agents never reconnect.',
  'shared-callers': 'In the table only one of the machines is visible at a time. Here they are told apart.',
  'clock-stepped': 'Times before it are shown by the clock as it was. Nothing turned fresh or stale by it.',
};

/** Where it is said what to do. */
export function docOf(code: ProblemCode): string {
  return `docs/operations.md#${code}`;
}
