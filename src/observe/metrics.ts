import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StoreErrorClass } from '../model/errors.js';
import type { ReporterStatus } from '../model/status.js';
import {
  type AddressPause,
  type ConnectionDenial,
  type FrameRejection,
  type HandshakeFailure,
  Traffic,
} from '../model/traffic.js';
import {
  HOST_STATES,
  type HostState,
  INCIDENT_KINDS,
  LEVELS,
  type Level,
  VOICE_STATES,
  type VoiceState,
} from '../model/view-status.js';
import type { ReporterEvent } from './events.js';
import type { Lag } from './loop-lag.js';
import { COUNTERS, type Reading } from './status-counters.js';
import { GAUGES } from './status-gauges.js';

const PREFIX = 'lars_reporter_';

const VIEW_GAUGES: readonly Reading[] = [
  [
    'incidents_open',
    'Incidents that run, of hosts and of services.',
    ({ view }) => view.counts?.incidentsOpen ?? 0,
  ],
  ['view_rows', 'Rows the live view holds.', ({ view }) => view.counts?.rows ?? 0],
  [
    'view_behind_seconds',
    'Seconds by which the live view is behind what was journaled; 0 when it has all.',
    ({ view }) => view.behindS,
  ],
  ['history_bytes', 'Bytes of the file of the history; 0 without one.', ({ view }) => view.history.bytes],
  [
    'history_stopped',
    '1 while the history cannot be written, else 0.',
    ({ view }) => (view.history.state === 'stopped' ? 1 : 0),
  ],
];

const VIEW_COUNTERS: readonly Reading[] = [
  [
    'view_dropped_rows_total',
    'Rows that were dropped because the live view was too slow; it reads them again from the store.',
    ({ view }) => view.droppedRows,
  ],
  ['view_restarts_total', 'Times the thread of the live view ended by itself.', ({ view }) => view.restarts],
];

// Written as objects so that a class the model gains cannot be forgotten here.
const STORE_ERROR_CLASSES = Object.keys({
  retry: true,
  'retry-slowly': true,
  'too-large': true,
  poison: true,
  configuration: true,
} satisfies Record<StoreErrorClass, true>);
const FRAME_REJECTIONS = Object.keys(new Traffic().framesRejected) as FrameRejection[];
const ADDRESS_PAUSES = Object.keys(new Traffic().throttled) as AddressPause[];
const CONNECTION_DENIALS = Object.keys(new Traffic().denied) as ConnectionDenial[];
const HANDSHAKE_FAILURES = Object.keys(new Traffic().tls.failed) as HandshakeFailure[];

/** From half a millisecond (a disk with its own battery) to what only a dying disk takes. */
const SYNC_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From one row on a near server to the longest `store.queryTimeoutMs` people set. */
const FLUSH_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Up to the largest `writers.maxBatchRows`. */
const ROWS_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** Up to what nobody overlooks. */
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface MetricsOptions {
  /** `writers.count`: each has its series from the first scrape on. */
  readonly writers: number;
  /** Asked once a scrape. */
  readonly source: () => ReporterStatus;
  /** `listen.*`, asked for at each scrape; 0 unless given. */
  readonly limits?: { readonly maxInflightBytes: number; readonly maxConnections: number };
  /** Of this package. */
  readonly version?: string;
}

/** A metric with all its values. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge` or `histogram`. */
  readonly type: string;
  /** Of a histogram one for each bucket, named `…_bucket` with its bound as label `le`, and `…_sum` and `…_count`. */
  readonly values: readonly {
    readonly metricName?: string;
    readonly labels: Readonly<Partial<Record<string, string | number>>>;
    readonly value: number;
  }[];
}

/**
 * The metrics of one reporter, in a registry of its own. Counters and gauges are read from the status when they
 * are scraped, all from the same one, so that they cannot disagree with the ledger; only what a status does not
 * hold (distributions, failures of the store) is counted here. Holds no timer and no handle; process metrics are
 * left to the process that embeds it.
 */
export class Metrics {
  /** The content type of `text()`. */
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #source: () => ReporterStatus;
  /** What the scrape under way reads. */
  #status: ReporterStatus | undefined;
  readonly #storeErrors: Counter<'class'>;
  readonly #syncSeconds: Histogram;
  readonly #flushSeconds: Histogram;
  readonly #flushRows: Histogram;
  readonly #loopLag: Histogram;
  #streams: () => number = () => 0;
  #discardedLines: () => number = () => 0;

  constructor(options: MetricsOptions) {
    const { writers, source } = options;
    this.contentType = this.#registry.contentType;
    this.#source = source;
    for (const reading of [...GAUGES, ...VIEW_GAUGES]) this.#gauge(reading);
    for (const reading of [...COUNTERS, ...VIEW_COUNTERS]) this.#counter(reading);
    this.#viewMetrics();
    this.#counters(
      'frames_rejected_total',
      'Frames refused, by reason.',
      'reason',
      FRAME_REJECTIONS,
      ({ traffic }, reason) => traffic.framesRejected[reason],
    );
    this.#counters(
      'rows_rejected_total',
      'Rows refused before they were journaled, by reason.',
      'reason',
      ['invalid', 'caller'],
      ({ ledger, traffic }, reason) =>
        reason === 'caller' ? traffic.foreignRows : ledger.rejected - traffic.foreignRows,
    );
    this.#counters(
      'address_throttled_total',
      'How often an address sent more than listen.perAddress allows, and was read later, by reason.',
      'reason',
      ADDRESS_PAUSES,
      ({ traffic }, reason) => traffic.throttled[reason],
    );
    this.#counters(
      'connections_denied_total',
      'Connections refused or closed for who their peer is, by reason.',
      'reason',
      CONNECTION_DENIALS,
      ({ traffic }, reason) => traffic.denied[reason],
    );
    this.#counters(
      'tls_handshakes_failed_total',
      'TLS handshakes of agents that came to nothing, by reason.',
      'reason',
      HANDSHAKE_FAILURES,
      ({ traffic }, reason) => traffic.tls.failed[reason],
    );
    this.#counters(
      'writer_restarts_total',
      'Restarts of a writer after a crash, by writer (its partition).',
      'writer',
      Array.from({ length: writers }, (_, partition) => String(partition)),
      (status, partition) => status.writers[Number(partition)]?.restarts ?? 0,
    );
    this.#storeErrors = new Counter({
      name: `${PREFIX}store_errors_total`,
      help: 'Failed calls of the store, by class, which says how the writer goes on.',
      labelNames: ['class'],
      registers: [this.#registry],
    });
    for (const name of STORE_ERROR_CLASSES) this.#storeErrors.inc({ class: name }, 0);
    this.#syncSeconds = this.#histogram(
      'journal_sync_seconds',
      'Time of one commit of the journal to disk, in seconds.',
      SYNC_BUCKETS,
    );
    this.#flushSeconds = this.#histogram(
      'flush_seconds',
      'Time of one upsert the store confirmed, in seconds.',
      FLUSH_BUCKETS,
    );
    this.#flushRows = this.#histogram('flush_rows', 'Rows of one upsert the store confirmed.', ROWS_BUCKETS);
    this.#loopLag = this.#histogram(
      'event_loop_lag_seconds',
      'How late a timer of 20 ms came, because something else held the event loop, in seconds.',
      LAG_BUCKETS,
    );
    this.#counter([
      'log_lines_discarded_total',
      'Log lines that were discarded because nobody read them in time.',
      () => this.#discardedLines(),
    ]);
    this.#gauge(['event_streams', 'Streams of GET /api/events open now.', () => this.#streams()]);
    this.#constants(options);
  }

  /** Takes what was measured of the event loop. */
  observeLag(lags: readonly Lag[]): void {
    for (const { ms, count } of lags)
      for (let each = 0; each < count; each++) this.#loopLag.observe(ms / 1000);
  }

  /** Where the number of open event streams is to be had. */
  countStreams(read: () => number): void {
    this.#streams = read;
  }

  /** Where the number of log lines that were discarded is to be had. */
  countDiscardedLines(read: () => number): void {
    this.#discardedLines = read;
  }

  /** Takes the events of the reporter: what a status does not hold is counted here. */
  readonly observe = (event: ReporterEvent): void => {
    switch (event.type) {
      case 'statement-flushed':
        this.#flushRows.observe(event.rows);
        this.#flushSeconds.observe(event.seconds);
        break;
      case 'journal-synced':
        this.#syncSeconds.observe(event.seconds);
        break;
      case 'statement-failed':
        this.#storeErrors.inc({ class: event.error.class });
        break;
    }
  };

  /** Everything, as Prometheus text of format 0.0.4. Rejects when the source throws. */
  async text(): Promise<string> {
    this.#status = this.#source();
    // Runs every `collect` before it first awaits: scrapes that overlap do not read each other's status.
    return this.#registry.metrics();
  }

  /** Everything, as data: the same as `text`. Rejects when the source throws. */
  async families(): Promise<readonly MetricFamily[]> {
    this.#status = this.#source();
    const families = await this.#registry.getMetricsAsJSON();
    // A number by its declaration, a text in truth.
    return families.map(({ type, ...family }) => ({ ...family, type: String(type) }));
  }

  /** What does not change while the process runs. */
  #constants({ limits, version = 'unknown' }: MetricsOptions): void {
    const startedS = Math.floor(Date.now() / 1000);
    this.#gauge(['inflight_limit_bytes', 'listen.maxInflightBytes.', () => limits?.maxInflightBytes ?? 0]);
    this.#gauge(['connections_limit', 'listen.maxConnections.', () => limits?.maxConnections ?? 0]);
    this.#gauge(['start_time_seconds', 'When the reporter was started, epoch seconds.', () => startedS]);
    new Gauge({
      name: `${PREFIX}build_info`,
      help: 'Always 1; the version of the reporter and of Node are its labels.',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    }).set({ version, node: process.version }, 1);
  }

  /** What the view counts. Gauges by level and state show 0 while it is not up; its counters stay as they were. */
  #viewMetrics(): void {
    const ofLevel = ({ view }: ReporterStatus, level: Level) => view.counts?.services[level] ?? 0;
    this.#gauges('services', 'Services by level, as lists show them.', 'level', LEVELS, ofLevel);
    const ofHosts = ({ view }: ReporterStatus, state: HostState) => view.counts?.hosts[state] ?? 0;
    this.#gauges(
      'hosts',
      'Hosts of services, by what their callers together say.',
      'state',
      HOST_STATES,
      ofHosts,
    );
    const ofCallers = ({ view }: ReporterStatus, state: VoiceState) => view.counts?.callers[state] ?? 0;
    this.#gauges(
      'callers',
      'Calling machines, by how they stand to the reporter.',
      'state',
      VOICE_STATES,
      ofCallers,
    );
    this.#counters(
      'incidents_total',
      'Incidents that have begun, by kind.',
      'kind',
      INCIDENT_KINDS,
      ({ view }, kind) => view.counts?.incidentsBegun[kind] ?? 0,
    );
    this.#counter([
      'view_mismatches_total',
      'Counters of the live view that a recount found wrong, and put right; above 0 is a bug.',
      ({ view }) => view.counts?.mismatches ?? 0,
    ]);
  }

  #gauge([name, help, read]: Reading): void {
    const value = () => (this.#status ? read(this.#status) : 0);
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });
  }

  #counter([name, help, read]: Reading): void {
    const value = () => (this.#status ? read(this.#status) : 0);
    new Counter({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  /** A gauge with one label, which has exactly the given values. */
  #gauges<Label extends string, Value extends string>(
    name: string,
    help: string,
    label: Label,
    values: readonly Value[],
    read: (status: ReporterStatus, value: Value) => number,
  ): void {
    const count = (value: Value) => (this.#status ? read(this.#status, value) : 0);
    new Gauge<Label>({
      name: PREFIX + name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        for (const value of values) this.labels(value).set(count(value));
      },
    });
  }

  /** A counter with one label, which has exactly the given values. */
  #counters<Label extends string, Value extends string>(
    name: string,
    help: string,
    label: Label,
    values: readonly Value[],
    read: (status: ReporterStatus, value: Value) => number,
  ): void {
    const count = (value: Value) => (this.#status ? read(this.#status, value) : 0);
    new Counter<Label>({
      name: PREFIX + name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const value of values) this.labels(value).inc(count(value));
      },
    });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: PREFIX + name, help, buckets, registers: [this.#registry] });
  }
}
