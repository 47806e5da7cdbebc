import { formatIpv4 } from '../../model/ipv4.js';
import { HOST_STATE_OF } from '../hosts.js';
import type { Host, ServiceHost } from '../shapes.js';
import type { ViewState } from '../state.js';
import { callsOf, roundShare } from './rounding.js';

/** A host as answers show it. */
export function hostAnswer(state: ViewState, host: number): Host {
  const { hosts, clock, settings, incidents, sampling, now } = state;
  const run = hosts.runs[host];
  const incident = run?.incident;
  const sums = {
    calls60: hosts.rates.calls60[host]!,
    errors60: hosts.rates.errors60[host]!,
    calls300: hosts.rates.calls300[host]!,
    errors300: hosts.rates.errors300[host]!,
  };
  return {
    ip: formatIpv4(hosts.ip(host)),
    port: hosts.port(host),
    state: HOST_STATE_OF[hosts.state[host]!] ?? 'idle',
    agree: roundShare(hosts.agree(host)),
    hot: hosts.hot[host]!,
    flaggedNow: hosts.flagged[host]!,
    callers: hosts.callers[host]!,
    recovering: hosts.hot[host]! > 0 && hosts.flagged[host] === 0,
    since: incident ? clock.iso(incident.began) : null,
    relapses: incident ? run.relapses : 0,
    flapping: incidents.flapsUntil(host, now) > 0,
    before: incident ? { calls: incident.calls, errors: incident.errors } : null,
    calls: callsOf(sums, settings.minCalls, sampling.share),
    lastHeard: clock.isoOrNull(hosts.heard[host]!),
    lastCall: clock.isoOrNull(hosts.lastCall[host]!),
  };
}

export function serviceHostAnswer(state: ViewState, host: number): ServiceHost {
  const service = state.hosts.service[host]!;
  const modid = state.services.modid(service);
  const cmdid = state.services.cmdid(service);
  return { modid, cmdid, name: state.nameOf(modid, cmdid), ...hostAnswer(state, host) };
}

/** Worst first: state, then how many agree, then by address. */
export function compareHosts({ hosts }: ViewState): (a: number, b: number) => number {
  return (a, b) =>
    hosts.state[b]! - hosts.state[a]! ||
    hosts.agree(b) - hosts.agree(a) ||
    hosts.hot[b]! - hosts.hot[a]! ||
    (hosts.ip(a) >>> 0) - (hosts.ip(b) >>> 0) ||
    hosts.port(a) - hosts.port(b);
}
