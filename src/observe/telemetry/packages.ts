import type * as Api from '@opentelemetry/api';
import type * as MetricExporter from '@opentelemetry/exporter-metrics-otlp-http';
import type * as TraceExporter from '@opentelemetry/exporter-trace-otlp-http';
import type * as Resources from '@opentelemetry/resources';
import type * as SdkMetrics from '@opentelemetry/sdk-metrics';
import type * as SdkTrace from '@opentelemetry/sdk-trace';
import { messageOf, ReporterError } from '../../model/errors.js';

/** The packages of OpenTelemetry, with the versions that npm is to install. They run on every Node that this package does. */
const VERSIONS = {
  '@opentelemetry/api': '1.9',
  '@opentelemetry/resources': '2',
  '@opentelemetry/sdk-metrics': '2',
  '@opentelemetry/sdk-trace': '2',
  '@opentelemetry/exporter-metrics-otlp-http': '0.223',
  '@opentelemetry/exporter-trace-otlp-http': '0.223',
} as const;

/** The optional packages, once they are there. */
export interface TelemetryPackages {
  readonly api: typeof Api;
  readonly resources: typeof Resources;
  readonly sdkMetrics: typeof SdkMetrics;
  readonly sdkTrace: typeof SdkTrace;
  readonly metricExporter: typeof MetricExporter;
  readonly traceExporter: typeof TraceExporter;
}

/** Imports the packages. Rejects with ReporterError CONFIG_INVALID, which says what to install, when one is missing. */
export async function importPackages(): Promise<TelemetryPackages> {
  try {
    return {
      api: await import('@opentelemetry/api'),
      resources: await import('@opentelemetry/resources'),
      sdkMetrics: await import('@opentelemetry/sdk-metrics'),
      sdkTrace: await import('@opentelemetry/sdk-trace'),
      metricExporter: await import('@opentelemetry/exporter-metrics-otlp-http'),
      traceExporter: await import('@opentelemetry/exporter-trace-otlp-http'),
    };
  } catch (error) {
    const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
    throw new ReporterError(
      'CONFIG_INVALID',
      `telemetry.otlpUrl is set, and the packages of OpenTelemetry cannot be loaded (${firstLine(error)}): ` +
        `install them beside lars-reporter with npm install ${packages.join(' ')}, or leave telemetry.otlpUrl out`,
      { cause: error },
    );
  }
}

const firstLine = (error: unknown) => messageOf(error).split('\n', 1)[0]!;
