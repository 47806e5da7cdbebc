import {
  type ConfigInput,
  type Handlers,
  type Reporter,
  type ReporterEvent,
  startReporter,
} from 'lars-reporter';
import { dispatch, type Ref, spawn } from 'nact';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

type Order = 'start' | 'restart';

/** What the supervisor tells. */
export type SupervisorEvent =
  | { readonly event: 'reporter-started'; readonly port: number; readonly starts: number }
  | { readonly event: 'reporter-ended'; readonly why: string; readonly pauseMs: number };

export interface Supervised {
  readonly config: ConfigInput;
  readonly onEvent: (event: ReporterEvent) => void;
  readonly tell: (event: SupervisorEvent) => void;
  /** What else is served on the port of the reporter, by actors that are spawned under the supervisor. */
  readonly handlers: (supervisor: Ref<Order>) => Handlers;
}

export interface Supervisor {
  /** The reporter that runs; undefined while none does. */
  readonly reporter: Reporter | undefined;
  /** Ends the reporter; another one is started. */
  restart(): void;
  /** Stores what is pending, as far as time allows, and ends the reporter for good. */
  stop(): Promise<void>;
}

/**
 * An actor above the reporter and what else the node does. It starts a reporter, and another one whenever one has ended
 * or could not start, after pauses that grow while starts fail.
 */
export function superviseReporter(
  system: Ref<never>,
  { config, onEvent, tell, handlers }: Supervised,
): Supervisor {
  const givingUp = new AbortController();
  const { signal } = givingUp;
  let current: Reporter | undefined;
  let running: Promise<void> | undefined;
  let starts = 0;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;

  /** Runs one reporter until it ends. Tells why it did. */
  const runOnce = async (): Promise<string> => {
    try {
      // The page is on the node's own server.
      const options = { system: ref, handlers: served, onEvent, signal, ownHttp: false };
      current = await startReporter(config, options);
      pauseMs = FIRST_PAUSE_MS;
      tell({ event: 'reporter-started', port: current.address.port, starts: ++starts });
      return await current.ended;
    } catch (error) {
      return String(error);
    } finally {
      current = undefined;
    }
  };
  const run = async () => {
    const why = await runOnce();
    if (signal.aborted) return;
    tell({ event: 'reporter-ended', why, pauseMs });
    timer = setTimeout(() => dispatch(ref, 'start'), pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  };
  // A reporter is not waited for here: the next order would wait behind it.
  const receive = (_state: undefined, order: Order) => {
    if (order === 'start') running = run();
    else void current?.stop();
  };
  const ref: Ref<Order> = spawn(system, receive, 'supervisor', { onCrash: (_m, _e, { resume }) => resume });
  const served = handlers(ref);
  dispatch(ref, 'start');
  return {
    get reporter() {
      return current;
    },
    restart: () => dispatch(ref, 'restart'),
    stop: async () => {
      await current?.drain();
      givingUp.abort();
      await running;
      clearTimeout(timer);
    },
  };
}
