import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { CollectionResult, DataPoint, MetricData, MetricProducer } from '@opentelemetry/sdk-metrics';
import type { MetricFamily } from '../metrics.js';
import type { TelemetryPackages } from './packages.js';

export interface MetricSourceOptions {
  readonly packages: Pick<TelemetryPackages, 'api' | 'sdkMetrics'>;
  readonly resource: Resource;
  /** Of this package. */
  readonly scope: { readonly name: string; readonly version: string };
  /** Asked once an export. */
  readonly families: () => Promise<readonly MetricFamily[]>;
}

/** Hands over the numbers of `/metrics` as they are there: under the same names, with the same labels and buckets. */
export class MetricSource implements MetricProducer {
  readonly #options: MetricSourceOptions;
  readonly #startTime = hrTime(Date.now());

  constructor(options: MetricSourceOptions) {
    this.#options = options;
  }

  async collect(): Promise<CollectionResult> {
    const { resource, scope, families } = this.#options;
    try {
      const endTime = hrTime(Date.now());
      const metrics = (await families()).map((family) => this.#metric(family, endTime));
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] };
    } catch (error) {
      return { resourceMetrics: { resource, scopeMetrics: [] }, errors: [error] };
    }
  }

  #metric(family: MetricFamily, endTime: HrTime): MetricData {
    const { api, sdkMetrics } = this.#options.packages;
    const { name, help, type, values } = family;
    const base = {
      descriptor: { name, description: help, unit: '', valueType: api.ValueType.DOUBLE },
      aggregationTemporality: sdkMetrics.AggregationTemporality.CUMULATIVE,
    };
    const times = { startTime: this.#startTime, endTime };
    if (type === 'histogram') {
      const dataPointType = sdkMetrics.DataPointType.HISTOGRAM;
      const point = { ...times, attributes: {}, value: histogramOf(family) };
      return { ...base, dataPointType, dataPoints: [point] };
    }
    const dataPoints: DataPoint<number>[] = values.map(({ labels, value }) => ({
      ...times,
      attributes: labels,
      value,
    }));
    if (type === 'gauge') return { ...base, dataPointType: sdkMetrics.DataPointType.GAUGE, dataPoints };
    return { ...base, dataPointType: sdkMetrics.DataPointType.SUM, isMonotonic: true, dataPoints };
  }
}

/** A histogram without labels. Prometheus counts each bucket with those below it, OTLP alone. */
function histogramOf({ name, values }: MetricFamily) {
  const buckets = values.filter(({ metricName }) => metricName === `${name}_bucket`);
  const only = (what: string) =>
    values.find(({ metricName }) => metricName === `${name}_${what}`)?.value ?? 0;
  return {
    buckets: {
      boundaries: buckets.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite),
      counts: buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0)),
    },
    sum: only('sum'),
    count: only('count'),
  };
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
