import type { Reason, ReasonCode } from './shapes.js';
import { REASON_CODES } from './shapes.js';

/** What the reasons of a service are told from. Numbers of hosts and of callers. */
export interface Findings {
  readonly hosts: number;
  readonly callers: number;
  readonly overloaded: number;
  readonly disputed: number;
  readonly failing: number;
  readonly noted: number;
  readonly blackedOut: number;
  /** Share of the capacity that callers avoid. */
  readonly avoided: number;
  /** Worst overloaded host: how many of how many callers. */
  readonly overloadedHot: number;
  readonly overloadedCallers: number;
  /** Worst disputed host. */
  readonly disputedHot: number;
  readonly disputedCallers: number;
  /** Worst noted host. */
  readonly notedHot: number;
  readonly notedCallers: number;
  /** Largest error share of a failing host, and what it was taken over. */
  readonly failingShare: number;
  readonly failingWindow: number;
  /** Of the service. */
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
  const { hosts, callers, blackedOut } = findings;
  if (blackedOut > 0)
    add(
      blackedOut / callers >= BLACKOUT_SHARE ? 4 : 2,
      'blackout',
      `${blackedOut} of ${count(callers, 'caller')} ${blackedOut === 1 ? 'gets' : 'get'} no host`,
    );
  if (hosts > 0 && findings.avoided >= ALL_HOSTS_SHARE)
    add(4, 'all-hosts', hosts === 1 ? 'its only host is overloaded' : `all ${hosts} hosts overloaded`);
  if (findings.overloaded > 0)
    add(
      3,
      'hosts-overloaded',
      `${findings.overloaded} of ${count(hosts, 'host')} overloaded, ${findings.overloaded > 1 ? 'up to ' : ''}${
        findings.overloadedHot
      } of ${count(findings.overloadedCallers, 'caller')} agree`,
    );
  if (findings.disputed > 0)
    add(
      2,
      'hosts-disputed',
      `${findings.disputed} of ${count(hosts, 'host')} disputed, ${findings.disputed > 1 ? 'up to ' : ''}${
        findings.disputedHot
      } of ${count(findings.disputedCallers, 'caller')} say overloaded`,
    );
  if (findings.failing > 0)
    add(
      2,
      'hosts-failing',
      `${findings.failing} of ${count(hosts, 'host')} failing, errors ${findings.failing > 1 ? 'up to ' : ''}${share(
        findings.failingShare,
        findings.failingWindow,
      )}`,
    );
  if (findings.window > 0 && findings.errorShare >= errorShare)
    add(2, 'errors', `errors ${share(findings.errorShare, findings.window)}`);
  if (findings.noted > 0)
    add(
      1,
      'hosts-noted',
      `${findings.noted} of ${count(hosts, 'host')} overloaded for ${findings.noted > 1 ? 'up to ' : ''}${
        findings.notedHot
      } of ${count(findings.notedCallers, 'caller')}`,
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
