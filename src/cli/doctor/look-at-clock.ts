import { execFile } from 'node:child_process';
import { type Finding, notice, ok, warning } from '../../model/finding.js';

/** Whether the clock is set by a server; undefined where nobody tells. */
export type Synchronised = boolean | undefined;

const TOLD_WITHIN_MS = 2000;

/** The clock of this machine. That of the database is compared with it where the database is looked at. */
export async function lookAtClock(): Promise<Finding[]> {
  return [judgeClock(await synchronised())];
}

export function judgeClock(isSynchronised: Synchronised): Finding {
  if (isSynchronised) return ok('clock', 'the clock is set by NTP');
  if (isSynchronised === false)
    return warning(
      'clock-alone',
      'the clock is set by nobody (NTP)',
      'have it set by NTP, slewed: the page shows the times of events by it, and the skew of agents against it',
    );
  return notice(
    'clock-unknown',
    'nobody here tells whether the clock is set by NTP; in a container that is usual',
    'make sure of it on the host',
  );
}

function synchronised(): Promise<Synchronised> {
  return new Promise((resolve) => {
    const args = ['show', '--property=NTPSynchronized', '--value'];
    execFile('timedatectl', args, { timeout: TOLD_WITHIN_MS }, (error, stdout) => {
      const said = stdout.trim();
      resolve(error || !/^(yes|no)$/.test(said) ? undefined : said === 'yes');
    });
  });
}
