import type { ReporterStatus, WriterStatus } from '../model/status.js';
import type { LiveViewStatus } from '../model/view-status.js';

/** `critical`: reports or rows may be lost, or agents wait. `warning`: somebody has to look. `notice`: worth knowing. */
export type Severity = 'critical' | 'warning' | 'notice';

/** What can be wrong with a reporter. In the order in which they are listed at equal severity. */
export const PROBLEM_CODES = [
  'journal-failing',
  'writer-failing',
  'unbalanced',
  'store-refuses',
  'store-away',
  'behind',
  'backpressure',
  'writer-restarting',
  'connections-refused',
  'certificate-ends',
  'dead-letters',
  'quarantine',
  'loop-slow',
  'view-behind',
  'view-mismatch',
  'history-stopped',
  'agents-gone',
  'shared-callers',
  'clock-stepped',
] as const;
/** What may be wrong with a reporter; docs/operations.md says of each what to do. */
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** What is known of a reporter at one moment. Times are of one clock that runs evenly, milliseconds. */
export interface Facts {
  readonly nowMs: number;
  /** The wall clock, epoch milliseconds. */
  readonly wallMs: number;
  readonly status: ReporterStatus;
  readonly maxInflightBytes: number;
  readonly maxConnections: number;
  /** Since when 80 % of `maxInflightBytes` are in use; undefined when they are not. */
  readonly inflightHighMs: number | undefined;
  /** When a connection was last refused; undefined when none was. */
  readonly refusedMs: number | undefined;
  /** The lag of the event loop that one turn in a hundred exceeds. */
  readonly lagP99Ms: number;
  /** Records that came into quarantine since the start. */
  readonly newlyQuarantined: number;
  /** Why the store could not be opened at the start; undefined once it has taken something. */
  readonly storeUnopened: string | undefined;
  /** When the wall clock was last set, and by how much. */
  readonly clockStep: { readonly atMs: number; readonly bySeconds: number } | undefined;
  /** Undefined when there is no view. */
  readonly view: LiveViewStatus | undefined;
}

/** Something that is wrong. */
export interface Finding {
  readonly code: ProblemCode;
  readonly severity: Severity;
  /** What is wrong, with numbers; one sentence part. */
  readonly text: string;
  /** Since when, by the clock of the facts, where they say so. */
  readonly sinceMs?: number;
}

const BEHIND_S = 10;
const FAR_BEHIND_S = 900;
const BACKPRESSURE_MS = 10_000;
/** From this share of the bytes in flight on, it counts as high. */
export const INFLIGHT_HIGH = 0.8;
/** How long something that happened once is told. */
const REFUSED_MS = 300_000;
const CLOCK_STEP_MS = 900_000;
const SLOW_LOOP_MS = 200;
const VIEW_BEHIND_S = 10;

const DAY_MS = 86_400_000;
/** So long before its end a certificate is told. */
const ENDS_SOON_MS = 14 * DAY_MS;

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'notice'];

/** Everything that is wrong, worst first. */
export function problemsIn(facts: Facts): Finding[] {
  const found = [
    ...storageProblems(facts),
    ...intakeProblems(facts),
    ...certificateProblems(facts),
    ...viewProblems(facts),
  ];
  return found.sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      PROBLEM_CODES.indexOf(a.code) - PROBLEM_CODES.indexOf(b.code),
  );
}

function* storageProblems({ status, storeUnopened, newlyQuarantined }: Facts): Generator<Finding> {
  const { journalError, ledger, writers, store, deadLetters, quarantined } = status;
  if (journalError !== undefined)
    yield {
      code: 'journal-failing',
      severity: 'critical',
      text: `the journal cannot be written: ${journalError}`,
    };
  if (!ledger.balanced)
    yield {
      code: 'unbalanced',
      severity: 'critical',
      text: `the ledger is off by ${imbalanceOf(status)} rows`,
    };
  yield* writerProblems(writers);
  yield* storeProblems(writers, store, storeUnopened);
  const oldestS = Math.max(0, ...writers.map(({ oldestPendingSeconds }) => oldestPendingSeconds));
  if (oldestS > BEHIND_S)
    yield {
      code: 'behind',
      severity: oldestS > FAR_BEHIND_S ? 'critical' : 'warning',
      text: `the oldest report that the table does not have came ${span(oldestS)} ago; ${ledger.pending} rows wait`,
    };
  if (deadLetters > 0)
    yield {
      code: 'dead-letters',
      severity: 'warning',
      text: `the store refuses the newest value of ${counted(deadLetters, 'key')}`,
    };
  if (quarantined > 0)
    yield {
      code: 'quarantine',
      // What came there earlier stays, and has been seen.
      severity: newlyQuarantined > 0 ? 'warning' : 'notice',
      text: `${counted(quarantined, 'journal record')} ${quarantined === 1 ? 'is' : 'are'} kept aside, ${newlyQuarantined} since the start`,
    };
}

function* writerProblems(writers: readonly WriterStatus[]): Generator<Finding> {
  for (const { partition, state, restarts, lastCrash = 'unknown' } of writers) {
    if (state === 'failing')
      yield {
        code: 'writer-failing',
        severity: 'critical',
        text: `writer ${partition} keeps crashing: ${lastCrash}`,
      };
    else if (state === 'restarting' || (state === 'recovering' && restarts > 0))
      yield {
        code: 'writer-restarting',
        severity: 'warning',
        text: `writer ${partition} crashed and is being rebuilt: ${lastCrash}`,
      };
  }
}

/** Classes of failures that another attempt, or less at a time, can mend. */
const PASSING = new Set(['retry', 'too-large']);

function* storeProblems(
  writers: readonly WriterStatus[],
  store: string,
  unopened: string | undefined,
): Generator<Finding> {
  const failing = writers.flatMap((writer) => (writer.store.state === 'failing' ? [writer.store] : []));
  for (const [code, isPassing] of [
    ['store-away', true],
    ['store-refuses', false],
  ] as const) {
    const those = failing.filter(({ class: errorClass }) => PASSING.has(errorClass) === isPassing);
    const [first] = those.sort((a, b) => a.sinceMs - b.sinceMs);
    if (first)
      yield {
        ...{ code, severity: 'warning' },
        text: `${store} ${isPassing ? 'is away' : 'takes nothing'} for ${those.length} of ${counted(writers.length, 'writer')}: ${first.message}`,
      };
  }
  if (unopened !== undefined && failing.length === 0)
    yield { code: 'store-away', severity: 'warning', text: `${store} could not be opened: ${unopened}` };
}

function* intakeProblems(facts: Facts): Generator<Finding> {
  const { nowMs, status, maxInflightBytes, maxConnections, inflightHighMs, refusedMs, lagP99Ms } = facts;
  if (inflightHighMs !== undefined && nowMs - inflightHighMs >= BACKPRESSURE_MS)
    yield {
      code: 'backpressure',
      severity: 'warning',
      text: `${Math.round((status.inflightBytes / maxInflightBytes) * 100)} % of listen.maxInflightBytes wait for the journal`,
      sinceMs: inflightHighMs,
    };
  if (refusedMs !== undefined && nowMs - refusedMs <= REFUSED_MS)
    yield {
      code: 'connections-refused',
      severity: 'warning',
      text: `${counted(status.traffic.refused, 'connection')} refused since the start, the last one ${span((nowMs - refusedMs) / 1000)} ago; ${status.traffic.connections} of ${maxConnections} are open`,
    };
  if (lagP99Ms > SLOW_LOOP_MS)
    yield {
      code: 'loop-slow',
      severity: 'warning',
      text: `one turn in a hundred comes ${Math.round(lagP99Ms)} ms late`,
    };
  const { clockStep } = facts;
  if (clockStep && nowMs - clockStep.atMs <= CLOCK_STEP_MS)
    yield {
      code: 'clock-stepped',
      severity: 'notice',
      text: `the wall clock was set ${clockStep.bySeconds > 0 ? 'forward' : 'back'} by ${span(Math.abs(clockStep.bySeconds))}`,
      sinceMs: clockStep.atMs,
    };
}

function* certificateProblems({ wallMs, status: { tls } }: Facts): Generator<Finding> {
  if (!tls) return;
  const leftMs = Date.parse(tls.validTo) - wallMs;
  if (leftMs > ENDS_SOON_MS) return;
  const isOver = leftMs <= 0;
  yield {
    code: 'certificate-ends',
    severity: isOver ? 'critical' : 'warning',
    text: `${tls.endsFirst}: a certificate ${isOver ? 'ended' : 'ends'} at ${tls.validTo}${isOver ? '; agents with TLS that connect are not served' : `, in ${counted(Math.floor(leftMs / DAY_MS), 'day')}`}`,
  };
}

function* viewProblems({ view }: Facts): Generator<Finding> {
  if (!view) return;
  const { state, behindS, restarts, counts, history } = view;
  if (state === 'starting' && restarts > 0)
    yield {
      code: 'view-behind',
      severity: 'warning',
      text: `the view's thread ended ${counted(restarts, 'time')} and is being restarted`,
    };
  else if (behindS >= VIEW_BEHIND_S)
    yield {
      code: 'view-behind',
      severity: 'warning',
      text: `the view is ${span(behindS)} behind what was journaled`,
    };
  if (history.state === 'stopped')
    yield {
      code: 'history-stopped',
      severity: 'warning',
      text: `the history is not written: ${history.why ?? 'unknown'}`,
    };
  if (!counts) return;
  const { callers, mismatches, sharedCallers } = counts;
  if (mismatches > 0)
    yield {
      code: 'view-mismatch',
      severity: 'warning',
      text: `${counted(mismatches, 'counter')} of the view did not agree with its rows, and ${mismatches === 1 ? 'was' : 'were'} put right`,
    };
  if (callers.gone > 0)
    yield {
      code: 'agents-gone',
      severity: 'notice',
      text: `${counted(callers.gone, 'machine')} lost the connection; agents stay silent until they are restarted`,
    };
  if (sharedCallers > 0)
    yield {
      code: 'shared-callers',
      severity: 'notice',
      text: `${counted(sharedCallers, 'caller name')} ${sharedCallers === 1 ? 'is' : 'are'} used by several machines, which overwrite each other's rows`,
    };
}

/** Rows by which the conservation equation does not hold; 0 when it does. */
export function imbalanceOf({ ledger }: ReporterStatus): number {
  const { received, recovered, upserted, coalesced, rejected, deadLettered, pending } = ledger;
  return received + recovered - upserted - coalesced - rejected - deadLettered - pending;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `12 s`, `4 min`, `2 h`. */
function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
