import { quiet, until } from '../model/wait.js';
import type { Foundation } from './foundation.js';
import type { Intake } from './open-intake.js';
import type { Writers } from './start-writers.js';

/** Agents that have been silent for so long have nothing more on the way, as far as a drain can tell. */
const QUIET_MS = 60;
/** Agents that never pause are read this long by a drain. */
const LONGEST_READ_MS = 1000;

/** What a drain came to. */
export interface DrainOutcome {
  /** The store has everything. */
  readonly drained: boolean;
  /** Row values that could not be stored. They stay in the journal. */
  readonly pending: number;
  /** Rows that could not even be journaled. They go with the process, unless that works before the stop. */
  readonly unjournaled: number;
}

/** Takes no new connections, reads what agents have sent, and waits until the store has all of it, within bounds. */
export async function drain(
  { config, events, status, traffic }: Foundation,
  intake: Intake,
  { router, lanes }: Writers,
): Promise<DrainOutcome> {
  const { drainMs } = config.shutdown;
  const deadlineMs = performance.now() + drainMs;
  const outcome = (): DrainOutcome => {
    const { pending } = status.ledger();
    return { drained: intake.isJournaled() && pending === 0, pending, unjournaled: router.waitingRows };
  };
  const tell = (step: 'accepting-stopped' | 'connections-closed' | 'drained' | 'time-up') => {
    // A stop that came in between has told its own end.
    if (status.state === 'stopped') return;
    const { pending, unjournaled } = outcome();
    events.emit({ type: 'drain-step', step, pending, unjournaled });
  };
  status.enter('draining');
  intake.listener.stopAccepting();
  tell('accepting-stopped');
  await quiet(() => traffic.bytes, QUIET_MS, Math.min(LONGEST_READ_MS, drainMs / 4));
  intake.listener.closeConnections();
  router.endWaits();
  for (const { writer } of lanes) {
    writer.liftBound();
    writer.endWaits();
  }
  tell('connections-closed');
  await until(() => outcome().drained || status.state === 'stopped', deadlineMs - performance.now());
  const result = outcome();
  tell(result.drained ? 'drained' : 'time-up');
  return result;
}
