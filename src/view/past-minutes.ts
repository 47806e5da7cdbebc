import type { PastMinute, Tally } from '../history/kept-records.js';
import { HOST_MINUTE } from './hosts.js';
import { BUCKET_S } from './rates.js';
import { SERVICE_MINUTE } from './services.js';
import type { ViewState } from './state.js';

const MINUTE_S = 60;
/** Share of errors from which on a host is worth a line of its own. */
const NOTABLE_SHARE = 0.01;

/** What is to be kept of a minute of the view that is over. */
export function pastMinute(state: ViewState, minute: number, coveredS: number): PastMinute {
  const { services, hosts } = state;
  const serviceFields = Object.values(SERVICE_MINUTE);
  const hostFields = Object.values(HOST_MINUTE);
  return {
    ...{ minute: wallMinute(state, minute), coveredS },
    services: servicesOf(state, (service) =>
      serviceFields.map((field) => services.minutes.value(minute, field, service)),
    ),
    hosts: hostsOf(state, (host) => hostFields.map((field) => hosts.minutes.value(minute, field, host))),
  };
}

/** What there is of the minute that runs: the next process has the rest. */
export function runningMinute(state: ViewState, coveredS: number): PastMinute {
  const { services, hosts, now } = state;
  const minute = Math.floor(now / MINUTE_S);
  const bucket = (minute * MINUTE_S) / BUCKET_S;
  return {
    ...{ minute: wallMinute(state, minute), coveredS },
    services: servicesOf(state, (service) => {
      const { calls, errors } = services.rates.since(service, bucket);
      return [
        ...[calls, errors, services.level[service]!, services.freshHosts[service]!],
        ...[services.overloaded[service]!, services.callers[service]!],
        ...[services.affected[service]!, services.blackedOut[service]!],
      ];
    }),
    hosts: hostsOf(state, (host) => {
      const { calls, errors } = hosts.rates.since(host, bucket);
      return [calls, errors, hosts.hot[host]!, hosts.callers[host]!];
    }),
  };
}

/** The wall clock need not be at a full minute when the even one is. */
function wallMinute({ clock }: ViewState, minute: number): number {
  return Math.round(clock.toWall(minute * MINUTE_S) / MINUTE_S);
}

/** `valuesOf`: in the order of SERVICE_MINUTE. */
function servicesOf({ services }: ViewState, valuesOf: (service: number) => readonly number[]): Tally[] {
  const { calls, errors, hosts, overloaded, callers, hotVoices, blackedOut, level } = SERVICE_MINUTE;
  const order = [calls, errors, hosts, overloaded, callers, hotVoices, blackedOut, level];
  const tallies: Tally[] = [];
  for (let service = 0; service < services.records.high; service++) {
    if (services.records.used[service] !== 1) continue;
    const values = valuesOf(service);
    // Not there yet in that minute, or nothing of it to tell.
    if (values.every((value) => !(value > 0))) continue;
    const fields = order.map((field) => known(values[field]!));
    tallies.push([services.modid(service), services.cmdid(service), ...fields]);
  }
  return tallies;
}

/** Those that somebody avoids, or that fail. `valuesOf`: in the order of HOST_MINUTE. */
function hostsOf(
  { hosts, services, settings }: ViewState,
  valuesOf: (host: number) => readonly number[],
): Tally[] {
  const tallies: Tally[] = [];
  for (let host = 0; host < hosts.records.high; host++) {
    if (hosts.records.used[host] !== 1) continue;
    const values = valuesOf(host);
    const [calls, errors, hot] = values;
    const isFailing = calls! >= settings.minCalls && errors! / calls! >= NOTABLE_SHARE;
    if (!(hot! >= 1) && !isFailing) continue;
    const service = hosts.service[host]!;
    const key = [services.modid(service), services.cmdid(service), hosts.ip(host), hosts.port(host)];
    tallies.push([...key, ...values.map(known)]);
  }
  return tallies;
}

function known(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
