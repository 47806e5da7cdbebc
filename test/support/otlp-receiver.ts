import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Teardown } from './temp.js';

/** A span as OTLP has it in JSON, as far as tests look at it. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number;
    readonly doubleValue?: number;
  };
}

interface OtlpPoints {
  readonly dataPoints: readonly {
    readonly asDouble?: number;
    readonly attributes: readonly OtlpAttribute[];
  }[];
}

export interface OtlpMetric {
  readonly name: string;
  readonly sum?: OtlpPoints;
  readonly gauge?: OtlpPoints;
  readonly histogram?: { readonly dataPoints: readonly { readonly count: number }[] };
}

interface Scope {
  readonly scope: { readonly name: string };
  readonly spans?: readonly OtlpSpan[];
  readonly metrics?: readonly OtlpMetric[];
}

interface Group {
  readonly resource: { readonly attributes: readonly OtlpAttribute[] };
  readonly scopeSpans?: readonly Scope[];
  readonly scopeMetrics?: readonly Scope[];
}

interface Body {
  readonly resourceSpans?: readonly Group[];
  readonly resourceMetrics?: readonly Group[];
}

/** Attributes by name. */
export function attributesOf({ attributes }: { readonly attributes: readonly OtlpAttribute[] }) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]),
  );
}

/** A collector that takes OTLP over HTTP in JSON, and keeps it. */
export class OtlpReceiver {
  readonly bodies: string[] = [];
  /** Requests that came. */
  requests = 0;
  /** It answers nobody. */
  isHanging = false;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  static async start(t: Teardown): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    t.teardown(() => receiver.close());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get resources(): readonly Record<string, unknown>[] {
    return this.#bodies().flatMap(({ resourceSpans = [], resourceMetrics = [] }) =>
      [...resourceSpans, ...resourceMetrics].map(({ resource }) => attributesOf(resource)),
    );
  }

  get spans(): readonly OtlpSpan[] {
    return this.#bodies().flatMap(({ resourceSpans = [] }) =>
      resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans)),
    );
  }

  /** Of each export its metrics, by name. */
  get exports(): readonly ReadonlyMap<string, OtlpMetric>[] {
    return this.#bodies().flatMap(({ resourceMetrics = [] }) =>
      resourceMetrics.map(
        ({ scopeMetrics = [] }) =>
          new Map(scopeMetrics.flatMap(({ metrics = [] }) => metrics.map((metric) => [metric.name, metric]))),
      ),
    );
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const body = await text(request);
    if (this.isHanging) return;
    this.bodies.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  #bodies(): Body[] {
    return this.bodies.map((body) => JSON.parse(body) as Body);
  }
}
