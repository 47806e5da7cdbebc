import { packageVersion } from '../model/version.js';
import { startTelemetry, type Telemetry } from '../observe/telemetry/telemetry.js';
import type { Foundation } from './foundation.js';

/**
 * Starts to send traces and metrics, if that is configured; undefined when not. Rejects with ReporterError
 * CONFIG_INVALID when the packages for it are missing.
 */
export async function openTelemetry({ config, events, metrics }: Foundation): Promise<Telemetry | undefined> {
  const { otlpUrl, ...settings } = config.telemetry;
  if (otlpUrl === undefined) return undefined;
  const telemetry = await startTelemetry({
    ...{ otlpUrl, ...settings, version: packageVersion() },
    families: () => metrics.families(),
    onFailure: (failure) => events.emit({ type: 'telemetry-failed', ...failure }),
  });
  events.subscribe(telemetry.observe);
  return telemetry;
}
