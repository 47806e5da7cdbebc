import type { IncidentEvent } from './telling.js';

const WHAT = {
  host: 'overloaded',
  blackout: 'callers get no host',
  errors: 'too many errors',
} as const;

/** `2026-11-27T02:11:40Z began host 10.0.0.1:80 of 4242/17: overloaded, 17 of 20 callers agree` */
export function lineOf({ event, at, incident }: IncidentEvent): string {
  const { kind, modid, cmdid, host, began, ended, peakHot, callers } = incident;
  const place = `${host === null ? '' : `host ${host} of `}${modid}/${cmdid}`;
  const who = kind === 'errors' ? '' : `, ${peakHot} of ${callers} callers`;
  const lasted =
    ended === null ? '' : `, after ${Math.round((Date.parse(ended) - Date.parse(began)) / 1000)} s`;
  return event === 'began'
    ? `${at} began ${place}: ${WHAT[kind]}${who}`
    : `${at} ended ${place}: ${WHAT[kind]}${who}${lasted}`;
}
