import type { PastMinute, Tally } from '../history/past.js';
import { HOST_MINUTE } from './hosts.js';
import { SERVICE_MINUTE } from './services.js';
import type { ViewState } from './state.js';

const MINUTE_S = 60;
/** Share of errors from which on a host is worth a line of its own. */
const NOTABLE_SHARE = 0.01;

/** What is to be kept of a complete minute of the view. */
export function pastMinute(state: ViewState, minute: number, coveredS: number): PastMinute {
  const startS = state.clock.toWall(minute * MINUTE_S);
  return {
    // The wall clock need not be at a full minute when the even one is.
    minute: Math.round(startS / MINUTE_S),
    coveredS,
    services: servicesOf(state, minute),
    hosts: hostsOf(state, minute),
  };
}

function servicesOf({ services }: ViewState, minute: number): Tally[] {
  const { records, minutes } = services;
  const { calls, errors, hosts, overloaded, callers, hotVoices, blackedOut, level } = SERVICE_MINUTE;
  const fields = [calls, errors, hosts, overloaded, callers, hotVoices, blackedOut, level];
  const tallies: Tally[] = [];
  for (let service = 0; service < records.high; service++) {
    if (records.used[service] !== 1) continue;
    const values = fields.map((field) => minutes.value(minute, field, service));
    // Not there yet in that minute, or nothing of it to tell.
    if (values.every((value) => !(value > 0))) continue;
    tallies.push([services.modid(service), services.cmdid(service), ...values.map(known)]);
  }
  return tallies;
}

/** Those that somebody avoids, or that fail. */
function hostsOf({ hosts, services, settings }: ViewState, minute: number): Tally[] {
  const { records, minutes } = hosts;
  const { calls, errors, hot, callers } = HOST_MINUTE;
  const tallies: Tally[] = [];
  for (let host = 0; host < records.high; host++) {
    if (records.used[host] !== 1) continue;
    const [made, failed, avoiding] = [calls, errors, hot].map((field) => minutes.value(minute, field, host));
    const isFailing = made! >= settings.minCalls && failed! / made! >= NOTABLE_SHARE;
    if (!(avoiding! >= 1) && !isFailing) continue;
    const service = hosts.service[host]!;
    const values = [made!, failed!, avoiding!, minutes.value(minute, callers, host)];
    tallies.push([
      ...[services.modid(service), services.cmdid(service), hosts.ip(host), hosts.port(host)],
      ...values.map(known),
    ]);
  }
  return tallies;
}

function known(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
