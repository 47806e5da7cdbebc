import { until } from '../model/wait.js';
import type { Foundation } from './foundation.js';
import type { Intake } from './open-intake.js';
import type { Writers } from './start-writers.js';

/** What was read must be journaled within so long, or nothing is let go. */
const JOURNAL_MS = 10_000;

/** Peers of connections with TLS have so long to end them, too. */
const FAREWELL_MS = 3000;

/**
 * Gives everything up for another process: ends the connections with TLS, reads no more, has what was read journaled, gives the connections up
 * unclosed, ends the statements that are under way, and closes journal and store. Rejects when what was read cannot be
 * journaled; then the reporter goes on as if nothing had been.
 */
export async function letGo(foundation: Foundation, intake: Intake, { lanes }: Writers): Promise<void> {
  await intake.listener.endSecured(FAREWELL_MS);
  intake.hold();
  if (!(await until(() => intake.isJournaled(), JOURNAL_MS))) {
    const isFull = lanes.some(({ writer }) => writer.isFull);
    intake.release();
    intake.listener.goOn();
    throw new Error(
      isFull
        ? 'a writer holds as many keys as it may (writers.maxPendingKeys), so that what was read cannot be journaled'
        : `what was read could not be journaled within ${JOURNAL_MS / 1000} s`,
    );
  }
  intake.listener.detachConnections();
  await foundation.end();
}
