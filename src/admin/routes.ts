import type { ReporterStatus } from '../model/status.js';
import type { Metrics } from '../observe/metrics.js';
import { readiness } from './readiness.js';
import { type Answer, json, type Route, STARTING } from './route.js';

export interface StatusSources {
  readonly status: () => ReporterStatus;
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
    { method: 'GET', path: '/api/ledger', handle: () => ledgers(status()) },
    { method: 'GET', path: '/api/status', handle: () => json(status()) },
  ];
}

/**
 * The total, and each writer's part. What was refused before any writer counts in the total only. There is none while
 * the reporter starts: writers that replay their journal do not know yet what they hold.
 */
function ledgers({ state, ledger, writers }: ReporterStatus): Answer {
  if (state === 'starting') return STARTING;
  const parts = writers.map((writer) => ({ partition: writer.partition, ...writer.ledger }));
  return json({ ...ledger, writers: parts });
}
