import type { ReporterStatus } from '../model/status.js';
import type { Metrics } from '../observe/metrics.js';
import { readiness } from './readiness.js';
import { json, type Route, STARTING } from './route.js';

export interface StatusSources {
  /** Undefined while the reporter starts. */
  readonly status: () => ReporterStatus | undefined;
  readonly metrics: Metrics;
}

/** The paths machines ask: probes, Prometheus, and the ledger and status as JSON. */
export function statusRoutes({ status, metrics }: StatusSources): readonly Route[] {
  return [
    { method: 'GET', path: '/healthz', open: true, handle: () => json({ status: 'ok' }) },
    {
      method: 'GET',
      path: '/readyz',
      handle: () => {
        const body = readiness(status());
        return json(body, body.ready ? 200 : 503);
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    },
    { method: 'GET', path: '/api/ledger', handle: () => answerWith(status(), ledgers) },
    { method: 'GET', path: '/api/status', handle: () => answerWith(status(), (all) => all) },
  ];
}

/** The total, and each writer's part. What was refused before any writer counts in the total only. */
function ledgers({ ledger, writers }: ReporterStatus): object {
  return { ...ledger, writers: writers.map((writer) => ({ partition: writer.partition, ...writer.ledger })) };
}

function answerWith(status: ReporterStatus | undefined, view: (status: ReporterStatus) => object) {
  return status ? json(view(status)) : STARTING;
}
