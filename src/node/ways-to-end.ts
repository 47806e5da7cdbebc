import type { EndReason } from '../model/end-reason.js';
import type { Telemetry } from '../observe/telemetry/telemetry.js';
import type { Foundation } from './foundation.js';
import type { Intake } from './open-intake.js';
import type { Writers } from './start-writers.js';

/** How often is looked whether the parent is there, milliseconds: nact tells nobody. */
const LOOK_MS = 250;

export interface EndingParts {
  readonly intake: Intake;
  readonly writers: Writers;
  readonly telemetry: Telemetry | undefined;
}

export interface Ending {
  /** Resolves with the first reason when all is closed. Never rejects. */
  readonly ended: Promise<EndReason>;
  /** Ends everything in order. Idempotent. */
  end(reason: EndReason): Promise<void>;
}

/** Everything that ends a reporter that runs. */
export function endingOf(foundation: Foundation, { intake, writers, telemetry }: EndingParts): Ending {
  const { options, events, teardown } = foundation;
  let running: Promise<void> | undefined;
  let tellEnded: (reason: EndReason) => void;
  const ended = new Promise<EndReason>((resolve) => {
    tellEnded = resolve;
  });
  const run = async (reason: EndReason) => {
    await foundation.end();
    // What is not journaled by now never will be.
    intake.ingress.end();
    // Last, so that nothing waits for a collector.
    await telemetry?.end();
    tellEnded(reason);
  };
  const end = (reason: EndReason) => {
    running ??= run(reason);
    return running;
  };

  const { signal, system } = options;
  const abort = () => void end('aborted');
  signal?.addEventListener('abort', abort, { once: true });
  teardown.add('the signal of the host', () => signal?.removeEventListener('abort', abort));
  if (system) {
    const timer = setInterval(() => {
      if (running !== undefined || writers.tree.isReachable()) return;
      events.emit({ type: 'parent-stopped', parent: system.name });
      void end('parent-stopped');
    }, LOOK_MS).unref();
    teardown.add('the watch of the parent', () => clearInterval(timer));
  }
  // It may have been aborted in the last step of the start.
  if (signal?.aborted) abort();
  return { ended, end };
}
