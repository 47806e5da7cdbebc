import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { evenMs } from '../../model/clock.js';
import type { EventMap, ReporterEvent } from '../events.js';
import type { TelemetryPackages } from './packages.js';

/** Even time and wall time may differ by so much, before spans follow the wall clock again. */
const MAX_SKEW_MS = 1000;

/** A batch whose rows are not all stored. */
interface OpenBatch {
  readonly partition: number;
  readonly batch: Span;
  readonly store: Span;
}

type Told<Type extends keyof EventMap> = EventMap[Type];

/**
 * Makes spans of events, for the batches that are followed.
 *
 *     batch            its first row is read … the store has its last
 *     ├─ gather        … until its writer takes it
 *     ├─ journal       … until it is on disk
 *     └─ store         … until the store has each row, or a newer value of its key
 *
 *     statement        one that carries rows of such batches, in a trace of its own, since it may carry rows of several:
 *                      it links to each `batch`, and each `store` links to it
 *
 * Spans hold numbers and classes, nothing of what rows hold. As many are open as batches are followed.
 */
export class BatchTraces {
  readonly #tracer: Tracer;
  readonly #api: TelemetryPackages['api'];
  readonly #open = new Map<string, OpenBatch>();
  #skewMs = 0;

  constructor(tracer: Tracer, api: TelemetryPackages['api']) {
    this.#tracer = tracer;
    this.#api = api;
  }

  readonly observe = (event: ReporterEvent): void => {
    switch (event.type) {
      case 'batch-journaled':
        if (event.isFollowed) this.#begin(event);
        break;
      case 'statement-flushed':
      case 'statement-failed':
        if (event.batches) this.#statement(event, event.batches);
        break;
      case 'batch-stored':
        this.#stored(event);
        break;
      case 'writer-crashed':
        // Its rows are in the journal, and are stored with others.
        for (const [key, open] of this.#open)
          if (open.partition === event.partition) this.#end(key, 'writer-crashed');
        break;
    }
  };

  /** Ends what is open: its rows stay in the journal. */
  end(): void {
    for (const key of this.#open.keys()) this.#end(key, 'stopped');
  }

  #begin({ partition, batchId, rows, received, seconds, journalSeconds }: Told<'batch-journaled'>): void {
    const nowMs = this.#nowMs();
    const [readMs, takenMs] = [nowMs - seconds * 1000, nowMs - journalSeconds * 1000];
    const batch = this.#span('batch', readMs, {
      ...{ 'lars.partition': partition, 'lars.batch.id': batchId },
      ...{ 'lars.batch.rows': rows, 'lars.batch.received': received },
    });
    const inside = this.#api.trace.setSpan(this.#api.ROOT_CONTEXT, batch);
    this.#span('gather', readMs, {}, inside).end(takenMs);
    this.#span('journal', takenMs, {}, inside).end(nowMs);
    const store = this.#span('store', nowMs, {}, inside);
    this.#open.set(keyOf(partition, batchId), { partition, batch, store });
  }

  #statement(
    event: Told<'statement-flushed'> & Partial<Told<'statement-failed'>>,
    batches: readonly number[],
  ): void {
    const { partition, rows, seconds, error } = event;
    const nowMs = this.#nowMs();
    const carried = batches.flatMap((batchId) => this.#open.get(keyOf(partition, batchId)) ?? []);
    const span = this.#tracer.startSpan(
      'statement',
      {
        root: true,
        kind: this.#api.SpanKind.CLIENT,
        startTime: nowMs - seconds * 1000,
        links: carried.map(({ batch }) => ({ context: batch.spanContext() })),
        attributes: {
          ...{ 'lars.partition': partition, 'lars.statement.rows': rows },
          'lars.outcome': error ? 'failed' : 'stored',
          // What the store says may quote a row.
          ...(error ? { 'error.type': error.class } : {}),
        },
      },
      this.#api.ROOT_CONTEXT,
    );
    if (error) span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
    for (const { store } of carried) store.addLink({ context: span.spanContext() });
    span.end(nowMs);
  }

  #stored({ partition, batchId, refused }: Told<'batch-stored'>): void {
    const key = keyOf(partition, batchId);
    if (refused > 0) this.#open.get(key)?.batch.setAttribute('lars.batch.refused', refused);
    this.#end(key, refused > 0 ? 'dead-letters' : 'stored');
  }

  #end(key: string, outcome: 'stored' | 'dead-letters' | 'writer-crashed' | 'stopped'): void {
    const open = this.#open.get(key);
    if (!open) return;
    this.#open.delete(key);
    const nowMs = this.#nowMs();
    open.batch.setAttribute('lars.outcome', outcome);
    open.store.end(nowMs);
    open.batch.end(nowMs);
  }

  #span(name: string, startTime: number, attributes: Attributes, parent?: Context): Span {
    return this.#tracer.startSpan(
      name,
      { startTime, attributes, root: parent === undefined },
      parent ?? this.#api.ROOT_CONTEXT,
    );
  }

  /** The wall clock, which does not step back between two spans unless it was set. */
  #nowMs(): number {
    const skewMs = Date.now() - evenMs();
    if (Math.abs(skewMs - this.#skewMs) > MAX_SKEW_MS) this.#skewMs = skewMs;
    return evenMs() + this.#skewMs;
  }
}

const keyOf = (partition: number, batchId: number) => `${partition}/${batchId}`;
