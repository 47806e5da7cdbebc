import type { Reason, ReasonCode } from './shapes.js';
import { REASON_CODES } from './shapes.js';

/** Hosts of a service by state, and the worst of each: how many of how many callers. */
export interface HostsSeen {
  /** Those with a fresh caller. */
  hosts: number;
  overloaded: number;
  overloadedHot: number;
  overloadedCallers: number;
  disputed: number;
  disputedHot: number;
  disputedCallers: number;
  noted: number;
  notedHot: number;
  notedCallers: number;
  failing: number;
  /** Largest error share of a failing host, and what it was taken over. */
  failingShare: number;
  failingWindow: number;
}

/** What the reasons of a service are told from. */
export interface Findings {
  readonly seen: Readonly<HostsSeen>;
  /** Fresh ones. */
  readonly callers: number;
  readonly blackedOut: number;
  /** Share of the capacity that callers avoid. */
  readonly avoided: number;
  readonly errorShare: number;
  readonly window: number;
  readonly isSilent: boolean;
  /** Callers heard in the last 15 minutes whose connection is gone. */
  readonly gone: number;
  readonly heardLately: number;
  /** It was overloaded, or in an outage, when it was last live. */
  readonly wasOverloaded: boolean;
}

/** From this share of the callers, or of the capacity, on it is an outage. */
export const BLACKOUT_SHARE = 0.5;
export const ALL_HOSTS_SHARE = 0.999;

/** Every condition that holds, strongest first. */
export function reasonsOf(findings: Findings, errorShare: number): Reason[] {
  const found: (Reason & { readonly weight: number })[] = [];
  const add = (weight: number, code: ReasonCode, text: string) => found.push({ code, text, weight });
  const { seen, callers, blackedOut } = findings;
  const { hosts } = seen;
  if (blackedOut > 0)
    add(
      blackedOut / callers >= BLACKOUT_SHARE ? 4 : 2,
      'blackout',
      `${blackedOut} of ${count(callers, 'caller')} ${blackedOut === 1 ? 'gets' : 'get'} no host`,
    );
  if (hosts > 0 && findings.avoided >= ALL_HOSTS_SHARE)
    add(4, 'all-hosts', hosts === 1 ? 'its only host is overloaded' : `all ${hosts} hosts overloaded`);
  if (seen.overloaded > 0)
    add(
      3,
      'hosts-overloaded',
      `${seen.overloaded} of ${count(hosts, 'host')} overloaded, ${seen.overloaded > 1 ? 'up to ' : ''}${
        seen.overloadedHot
      } of ${count(seen.overloadedCallers, 'caller')} agree`,
    );
  if (seen.disputed > 0)
    add(
      2,
      'hosts-disputed',
      `${seen.disputed} of ${count(hosts, 'host')} disputed, ${seen.disputed > 1 ? 'up to ' : ''}${
        seen.disputedHot
      } of ${count(seen.disputedCallers, 'caller')} say overloaded`,
    );
  if (seen.failing > 0)
    add(
      2,
      'hosts-failing',
      `${seen.failing} of ${count(hosts, 'host')} failing, errors ${seen.failing > 1 ? 'up to ' : ''}${share(
        seen.failingShare,
        seen.failingWindow,
      )}`,
    );
  if (findings.window > 0 && findings.errorShare >= errorShare)
    add(2, 'errors', `errors ${share(findings.errorShare, findings.window)}`);
  if (seen.noted > 0)
    add(
      1,
      'hosts-noted',
      `${seen.noted} of ${count(hosts, 'host')} overloaded for ${seen.noted > 1 ? 'up to ' : ''}${
        seen.notedHot
      } of ${count(seen.notedCallers, 'caller')}`,
    );
  if (findings.isSilent) add(1, 'silent', silentText(findings));
  return found
    .sort((a, b) => b.weight - a.weight || REASON_CODES.indexOf(a.code) - REASON_CODES.indexOf(b.code))
    .map(({ code, text }) => ({ code, text }));
}

function silentText({ gone, heardLately, wasOverloaded }: Findings): string {
  const lost = `not heard any more, ${gone} of ${count(heardLately, 'caller')} gone`;
  return wasOverloaded ? `${lost}; was overloaded when last heard` : lost;
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function share(errors: number, window: number): string {
  return `${(errors * 100).toFixed(1)} % (${window === 300 ? '5 min' : '1 min'})`;
}
