import { evenMs } from '../model/clock.js';
import type { ReporterStatus } from '../model/status.js';
import type { LiveViewStatus } from '../model/view-status.js';
import type { ReporterEvent } from './events.js';
import type { Lag, LoopLag } from './loop-lag.js';
import { docOf, MEANS } from './problem-guide.js';
import { type Facts, INFLIGHT_HIGH, type ProblemCode, problemsIn, type Severity } from './problems.js';

/** Something that is wrong with the reporter. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** What is wrong, with numbers. */
  readonly text: string;
  /** What that means for the data. */
  readonly means: string;
  /** Where it is said what to do. */
  readonly doc: string;
}

/** How the reporter is. */
export interface Health {
  /** `unwell`: with a problem that is more than a notice. `draining`: it takes no reports any more. */
  readonly state: 'ok' | 'unwell' | 'starting' | 'draining';
  /** Worst first. */
  readonly problems: readonly Problem[];
  readonly uptimeS: number;
  /** Rows a second over the last ten seconds: taken in, and confirmed by the store. */
  readonly rates: { readonly rowsIn: number; readonly rowsStored: number };
  /** Statements of the last minute; null without any. */
  readonly flush: {
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly rowsP50: number | null;
  };
  /** How late one turn of the event loop in a hundred comes, milliseconds. */
  readonly loopLagP99Ms: number;
}

export interface VitalsOptions {
  readonly source: () => ReporterStatus;
  /** `listen.*`, asked for whenever they are needed. */
  readonly limits: { readonly maxInflightBytes: number; readonly maxConnections: number };
  readonly lag: Pick<LoopLag, 'p99Ms' | 'take'>;
  /** Takes what was measured of the event loop, some times a minute. */
  readonly onLag?: (lags: readonly Lag[]) => void;
  /** For tests: a clock that runs evenly, and the wall clock, epoch milliseconds. */
  readonly nowMs?: () => number;
  readonly wallMs?: () => number;
}

interface Sample {
  readonly atMs: number;
  readonly received: number;
  readonly upserted: number;
}

interface Flush {
  readonly atMs: number;
  readonly ms: number;
  readonly rows: number;
}

const RATE_MS = 10_000;
const FLUSH_MS = 60_000;
/** Statements that are remembered; of more a minute, the last ones. */
const MAX_FLUSHES = 1024;
/** The measuring of the lag begins anew so often: what happens in that very moment is missed. */
const LAG_MS = 10_000;
/** A wall clock that differs by this much from the even one, from one second to the next, was set. */
const CLOCK_STEP_MS = 2000;

/** What a status does not hold and operators ask for: rates, times of statements, and since when something is wrong. */
export class Vitals {
  readonly #options: VitalsOptions;
  readonly #nowMs: () => number;
  readonly #wallMs: () => number;
  readonly #startedMs: number;
  readonly #since = new Map<ProblemCode, number>();
  #samples: Sample[] = [];
  #flushes: Flush[] = [];
  #inflightHighMs: number | undefined;
  #refused = 0;
  #refusedMs: number | undefined;
  #quarantined = 0;
  #storeUnopened: string | undefined;
  #wallOffsetMs: number;
  #clockStep: Facts['clockStep'];
  #lagTakenMs: number;
  /** Of the last ten seconds that are over: one slow turn in a moment is not one in a hundred. */
  #lagP99Ms = 0;

  constructor(options: VitalsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? evenMs;
    this.#wallMs = options.wallMs ?? Date.now;
    this.#startedMs = this.#nowMs();
    this.#lagTakenMs = this.#startedMs;
    this.#wallOffsetMs = this.#wallMs() - this.#startedMs;
  }

  readonly observe = (event: ReporterEvent): void => {
    switch (event.type) {
      case 'statement-flushed':
        this.#storeUnopened = undefined;
        this.#flushes.push({ atMs: this.#nowMs(), ms: event.seconds * 1000, rows: event.rows });
        if (this.#flushes.length >= 2 * MAX_FLUSHES) this.#flushes = this.#flushes.slice(-MAX_FLUSHES);
        break;
      case 'reporter-state':
        // Starting takes the processor as it likes; nobody waits for it.
        if (event.state !== 'running') break;
        this.#options.lag.take();
        this.#lagTakenMs = this.#nowMs();
        break;
      case 'quarantined':
        this.#quarantined++;
        break;
      case 'store-unavailable':
        this.#storeUnopened = event.error.message;
        break;
      case 'store-state':
        this.#storeUnopened = undefined;
        break;
    }
  };

  /** To be called once a second. `view`: what it says of itself; undefined without one. */
  sample(view: LiveViewStatus | undefined): void {
    const nowMs = this.#nowMs();
    const status = this.#options.source();
    const { ledger, traffic, inflightBytes } = status;
    this.#samples.push({ atMs: nowMs, received: ledger.received, upserted: ledger.upserted });
    while (this.#samples.length > 2 && nowMs - this.#samples[1]!.atMs >= RATE_MS) this.#samples.shift();
    const isHigh = inflightBytes >= this.#options.limits.maxInflightBytes * INFLIGHT_HIGH;
    this.#inflightHighMs = isHigh ? (this.#inflightHighMs ?? nowMs) : undefined;
    if (traffic.refused > this.#refused) this.#refusedMs = nowMs;
    this.#refused = traffic.refused;
    this.#watchClock(nowMs);
    this.#watchLag(nowMs);
    this.#findings(status, view, nowMs);
  }

  /** How the reporter is now. */
  health(view: LiveViewStatus | undefined): Health {
    const nowMs = this.#nowMs();
    const status = this.#options.source();
    const problems = this.#findings(status, view, nowMs).map(({ code, severity, text }) => ({
      ...{ code, severity, text },
      since: this.#iso(this.#since.get(code) ?? nowMs),
      means: MEANS[code],
      doc: docOf(code),
    }));
    return {
      state: stateOf(status, problems),
      problems,
      uptimeS: Math.floor((nowMs - this.#startedMs) / 1000),
      rates: this.#rates(),
      flush: this.#flush(nowMs),
      loopLagP99Ms: rounded(this.#lagP99Ms),
    };
  }

  /** What is wrong now, and notes since when. */
  #findings(status: ReporterStatus, view: LiveViewStatus | undefined, nowMs: number) {
    const { maxInflightBytes, maxConnections } = this.#options.limits;
    const found = problemsIn({
      ...{ nowMs, status, view, maxInflightBytes, maxConnections },
      wallMs: this.#wallMs(),
      inflightHighMs: this.#inflightHighMs,
      refusedMs: this.#refusedMs,
      lagP99Ms: this.#lagP99Ms,
      newlyQuarantined: this.#quarantined,
      storeUnopened: this.#storeUnopened,
      clockStep: this.#clockStep,
    });
    const codes = new Set(found.map(({ code }) => code));
    for (const code of this.#since.keys()) if (!codes.has(code)) this.#since.delete(code);
    for (const { code, sinceMs = nowMs } of found) if (!this.#since.has(code)) this.#since.set(code, sinceMs);
    return found;
  }

  #watchClock(nowMs: number): void {
    const offsetMs = this.#wallMs() - nowMs;
    const stepMs = offsetMs - this.#wallOffsetMs;
    this.#wallOffsetMs = offsetMs;
    if (Math.abs(stepMs) >= CLOCK_STEP_MS)
      this.#clockStep = { atMs: nowMs, bySeconds: Math.round(stepMs / 1000) };
  }

  #watchLag(nowMs: number): void {
    if (nowMs - this.#lagTakenMs < LAG_MS) return;
    const { lag, onLag } = this.#options;
    this.#lagTakenMs = nowMs;
    this.#lagP99Ms = lag.p99Ms;
    onLag?.(lag.take());
  }

  #rates(): Health['rates'] {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
    if (!first || !last || seconds === 0) return { rowsIn: 0, rowsStored: 0 };
    return {
      rowsIn: rounded((last.received - first.received) / seconds),
      rowsStored: rounded((last.upserted - first.upserted) / seconds),
    };
  }

  #flush(nowMs: number): Health['flush'] {
    const recent = this.#flushes.slice(-MAX_FLUSHES).filter(({ atMs }) => nowMs - atMs <= FLUSH_MS);
    const times = recent.map(({ ms }) => ms).sort((a, b) => a - b);
    const rows = recent.map((flush) => flush.rows).sort((a, b) => a - b);
    return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), rowsP50: quantile(rows, 0.5) };
  }

  #iso(ms: number): string {
    return `${new Date(ms + this.#wallOffsetMs).toISOString().slice(0, 19)}Z`;
  }
}

function stateOf({ state }: ReporterStatus, problems: readonly Problem[]): Health['state'] {
  if (state === 'starting') return 'starting';
  if (state !== 'running') return 'draining';
  return problems.some(({ severity }) => severity !== 'notice') ? 'unwell' : 'ok';
}

function quantile(rising: readonly number[], share: number): number | null {
  const value = rising[Math.min(rising.length - 1, Math.floor(rising.length * share))];
  return value === undefined ? null : rounded(value);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
