import { parseIpv4 } from '../../src/model/ipv4.js';
import type { Row } from '../../src/model/row.js';
import type { ViewSettings } from '../../src/view/view-settings.js';

/**
 * The definitions of the view written down plainly, for comparison: every report is kept as objects, and everything
 * is computed anew from them at each tick. Slow, and of nothing but the words of the specification. Times in epoch
 * seconds of one clock.
 */

export interface NaiveRow {
  readonly s: string;
  readonly h: string;
  readonly v: number;
  stored: number;
  succ: number;
  err: number;
  ts: number;
  flag: boolean;
  heard: number;
  lastOn: number | null;
  prev: { succ: number; err: number; at: number } | null;
  changed: number;
  source: 'live' | 'table';
}

interface Delta {
  readonly at: number;
  readonly h: string;
  readonly s: string;
  readonly calls: number;
  readonly errs: number;
}

interface NaiveRun {
  began: number;
  before: { calls: number; errors: number };
  firstCaller: number;
  lastOn: number;
  relapses: number;
  peakHot: number;
  callers: number;
  incident: NaiveIncident | null;
}

export interface NaiveIncident {
  kind: 'host' | 'blackout' | 'errors';
  s: string;
  h: string | null;
  began: number;
  ended: number | null;
  peakHot: number;
  callers: number;
  relapses: number;
  before: { calls: number; errors: number };
  firstCaller: number | null;
}

interface NaiveVoice {
  heard: number;
  live: boolean;
  peer: string | null;
  skews: number[];
  lastTs: number | null;
}

interface Written {
  readonly at: number;
  readonly peer: string;
}

export const isLoopback = (ip: number) => (ip >>> 24 === 127 || ip === 0) === true;
const bucketOf = (second: number) => Math.floor(second / 10);

export class NaiveView {
  readonly rows = new Map<string, NaiveRow>();
  readonly voices = new Map<number, NaiveVoice>();
  readonly incidents: NaiveIncident[] = [];
  #settings: ViewSettings;
  readonly #deltas: Delta[] = [];
  readonly #runs = new Map<string, NaiveRun>();
  readonly #hostBegan = new Map<string, number[]>();
  /** By stored key: every report of it, and the moments it changed hands; with the voices of both sides. */
  readonly #writes = new Map<string, { last: Written | null; hands: { at: number; voices: number[] }[] }>();
  readonly #heardServices = new Set<string>();
  readonly #errorsSince = new Map<string, number>();
  readonly #wellSince = new Map<string, number>();
  #open = new Map<string, number>();
  now: number;

  constructor(settings: ViewSettings, now: number) {
    this.#settings = settings;
    this.now = now;
  }

  set(settings: ViewSettings): void {
    this.#settings = settings;
  }

  connections(open: ReadonlyMap<string, number>): void {
    this.#open = new Map(open);
  }

  live(row: Row, peer: string | null, now: number): void {
    this.now = now;
    const peerIp = peer === null ? undefined : parseIpv4(peer);
    const v = isLoopback(row.caller) ? (peerIp ?? row.caller) : row.caller;
    const { s, h } = places(row);
    this.#noteVoice(v, row, peer);
    this.#noteWrite(`${h} ${row.caller}`, v, v === row.caller, peer);
    const key = `${h} ${v}`;
    const old = this.rows.get(key);
    const fresh = {
      s,
      h,
      v,
      stored: row.caller,
      succ: row.succ,
      err: row.err,
      ts: row.ts,
      flag: row.overload,
    };
    if (old?.source === 'live') {
      const same = row.overload === old.flag && row.succ >= old.succ && row.err >= old.err;
      const succ = same ? row.succ - old.succ : row.succ;
      const err = same ? row.err - old.err : row.err;
      if (!same) old.prev = { succ: old.succ, err: old.err, at: now };
      this.#deltas.push({ at: now, h, s, calls: succ + err, errs: err });
    }
    this.#heardServices.add(s);
    this.rows.set(key, {
      ...fresh,
      heard: now,
      lastOn: row.overload ? now : (old?.lastOn ?? null),
      prev: old?.prev ?? null,
      changed:
        old && old.succ === row.succ && old.err === row.err && old.flag === row.overload ? old.changed : now,
      source: 'live',
    });
    const fromTable = v === row.caller ? undefined : this.rows.get(`${h} ${row.caller}`);
    if (fromTable?.source === 'table') this.#drop(`${h} ${row.caller}`);
    this.#noteRun(key, old, now);
  }

  table(row: Row, now: number): void {
    this.now = now;
    const heard = Math.min(row.ts, now);
    if (now - heard > this.#settings.forgetS) return;
    const { s, h } = places(row);
    const isKnown = [...this.rows.values()].some(
      (one) => one.h === h && one.stored === row.caller && one.v !== row.caller,
    );
    if (isLoopback(row.caller) && isKnown) return;
    const key = `${h} ${row.caller}`;
    const old = this.rows.get(key);
    if (old && (old.source === 'live' || row.ts < old.ts)) return;
    const voice = this.voices.get(row.caller);
    if (!voice) this.voices.set(row.caller, { heard, live: false, peer: null, skews: [], lastTs: null });
    else voice.heard = Math.max(voice.heard, heard);
    this.rows.set(key, {
      s,
      h,
      v: row.caller,
      stored: row.caller,
      succ: row.succ,
      err: row.err,
      ts: row.ts,
      flag: row.overload,
      heard,
      lastOn: row.overload ? heard : (old?.lastOn ?? null),
      prev: null,
      changed:
        old && old.succ === row.succ && old.err === row.err && old.flag === row.overload
          ? old.changed
          : heard,
      source: 'table',
    });
    this.#noteRun(key, old, heard);
  }

  /** Everything by the definitions, at this second. */
  tick(now: number): void {
    this.now = now;
    for (const [key, row] of this.rows) if (now - row.heard > this.#settings.forgetS) this.#drop(key);
    // A blackout ends when the flag of the first of its hosts was last reported.
    const flagged = new Map(this.services().map((s) => [s, this.#flaggedUntil(s)]));
    for (const h of new Set([...this.hosts(), ...this.#runs.keys()])) this.#followRun(h);
    for (const s of this.services()) this.#followService(s, flagged.get(s) ?? this.now);
    for (const incident of this.incidents)
      if (incident.ended === null && !this.services().includes(incident.s)) incident.ended = now;
  }

  #drop(key: string): void {
    const row = this.rows.get(key)!;
    this.rows.delete(key);
    const rest = [...this.rows.values()];
    if (!rest.some(({ v }) => v === row.v)) this.voices.delete(row.v);
    if (!rest.some(({ h }) => h === row.h)) {
      this.#hostBegan.delete(row.h);
      const run = this.#runs.get(row.h);
      if (run?.incident) run.incident.ended = Math.max(run.lastOn, run.began);
      this.#runs.delete(row.h);
      for (let index = this.#deltas.length - 1; index >= 0; index--)
        if (this.#deltas[index]!.h === row.h) this.#deltas[index] = { ...this.#deltas[index]!, h: '' };
    }
    if (!rest.some(({ s }) => s === row.s)) {
      this.#heardServices.delete(row.s);
      this.#errorsSince.delete(row.s);
      this.#wellSince.delete(row.s);
      for (let index = this.#deltas.length - 1; index >= 0; index--)
        if (this.#deltas[index]!.s === row.s) this.#deltas.splice(index, 1);
      for (const incident of this.incidents)
        if (incident.ended === null && incident.s === row.s && incident.h === null) incident.ended = this.now;
    }
  }

  // Rows.

  fresh(row: NaiveRow): boolean {
    return this.now - row.heard <= this.#settings.freshS;
  }

  hot(row: NaiveRow): boolean {
    const isHeld = row.lastOn !== null && this.now - row.lastOn <= this.#settings.holdS;
    return this.fresh(row) && (row.flag || isHeld);
  }

  windowOf(row: NaiveRow): { calls: number; errors: number } {
    const counts = row.prev !== null && this.now - row.prev.at <= 60;
    const previous = counts ? row.prev! : { succ: 0, err: 0 };
    return { calls: row.succ + row.err + previous.succ + previous.err, errors: row.err + previous.err };
  }

  verdict(row: NaiveRow): string {
    if (!this.fresh(row)) {
      const siblings = [...this.rows.values()].filter(({ s, v }) => s === row.s && v === row.v);
      return siblings.some((one) => this.fresh(one)) ? 'withdrawn' : 'stale';
    }
    if (this.hot(row)) return 'overloaded';
    const { calls, errors } = this.windowOf(row);
    if (calls >= this.#settings.minCalls && errors / calls >= this.#settings.errorShare) return 'failing';
    return calls >= 1 ? 'ok' : 'idle';
  }

  // Hosts.

  hosts(): string[] {
    return [...new Set([...this.rows.values()].map(({ h }) => h))];
  }

  rowsOfHost(h: string): NaiveRow[] {
    return [...this.rows.values()].filter((row) => row.h === h);
  }

  callersOf(h: string): number {
    return this.rowsOfHost(h).filter((row) => this.fresh(row)).length;
  }

  hotOf(h: string): number {
    return this.rowsOfHost(h).filter((row) => this.hot(row)).length;
  }

  agree(h: string): number {
    const callers = this.callersOf(h);
    return callers === 0 ? 0 : this.hotOf(h) / callers;
  }

  calls(place: { h?: string; s?: string }, buckets: number): { calls: number; errors: number } {
    const running = bucketOf(this.now);
    let [calls, errors] = [0, 0];
    for (const { at, h, s, calls: more, errs } of this.#deltas) {
      const bucket = bucketOf(at);
      if (bucket >= running || bucket < running - buckets) continue;
      if (place.h === h || place.s === s) {
        calls += more;
        errors += errs;
      }
    }
    return { calls, errors };
  }

  errorShare(place: { h?: string; s?: string }): { share: number | null; window: 60 | 300 | null } {
    for (const [buckets, window] of [
      [6, 60],
      [30, 300],
    ] as const) {
      const { calls, errors } = this.calls(place, buckets);
      if (calls >= this.#settings.minCalls && calls > 0) return { share: errors / calls, window };
    }
    return { share: null, window: null };
  }

  hostState(h: string): string {
    const callers = this.callersOf(h);
    if (callers === 0)
      return this.rowsOfHost(h).some((row) => this.verdict(row) === 'stale') ? 'stale' : 'withdrawn';
    const agree = this.agree(h);
    if (agree >= 0.5) return 'overloaded';
    if (agree >= 0.2 || this.hotOf(h) >= 3) return 'disputed';
    if ((this.errorShare({ h }).share ?? -1) >= this.#settings.errorShare) return 'failing';
    if (this.hotOf(h) >= 1) return 'noted';
    return this.rowsOfHost(h).some((row) => this.fresh(row) && this.windowOf(row).calls >= 1) ? 'ok' : 'idle';
  }

  run(h: string): NaiveRun | undefined {
    return this.#runs.get(h);
  }

  flapping(h: string): boolean {
    return (this.#hostBegan.get(h) ?? []).filter((began) => this.now - began <= 1_800).length >= 3;
  }

  // Voices.

  voiceState(v: number): string {
    const voice = this.voices.get(v)!;
    const isFresh = this.now - voice.heard <= this.#settings.freshS;
    if (isFresh) return voice.live ? 'reporting' : 'table';
    const isOpen = [...this.#open].some(
      ([address, count]) => count > 0 && (voice.live ? address === voice.peer : parseIpv4(address) === v),
    );
    return isOpen ? 'connected' : 'gone';
  }

  skew(v: number): number | null {
    const last = this.voices
      .get(v)!
      .skews.slice(-15)
      .sort((a, b) => a - b);
    if (last.length === 0) return null;
    const middle = last.length / 2;
    return last.length % 2 === 1 ? last[Math.floor(middle)]! : (last[middle - 1]! + last[middle]!) / 2;
  }

  shared(v: number): boolean {
    return [...this.#writes.values()].some(({ hands }) =>
      hands.some(
        ({ voices }, index) => index > 0 && voices.includes(v) && this.now - hands[index - 1]!.at <= 600,
      ),
    );
  }

  hotRowsOf(v: number): NaiveRow[] {
    return [...this.rows.values()].filter((row) => row.v === v && this.hot(row));
  }

  loneRowsOf(v: number): NaiveRow[] {
    return this.hotRowsOf(v).filter(({ h }) => this.agree(h) < 0.5 && this.callersOf(h) >= 2);
  }

  // Services.

  services(): string[] {
    return [...new Set([...this.rows.values()].map(({ s }) => s))];
  }

  service(s: string) {
    const all = [...this.rows.values()].filter((row) => row.s === s);
    const hosts = [...new Set(all.map(({ h }) => h))];
    const live = hosts.filter((h) => this.callersOf(h) >= 1);
    const known = [...new Set(all.map(({ v }) => v))];
    const freshOf = (v: number) => all.filter((row) => row.v === v && this.fresh(row));
    const callers = known.filter((v) => freshOf(v).length > 0);
    const blackedOut = callers.filter((v) => freshOf(v).every((row) => this.hot(row)));
    const affected = callers.filter((v) => freshOf(v).some((row) => this.hot(row)));
    const states = hosts.map((h) => this.hostState(h));
    const count = (state: string) => states.filter((one) => one === state).length;
    const L = live.length === 0 ? 0 : live.reduce((sum, h) => sum + this.agree(h), 0) / live.length;
    const K = callers.length === 0 ? 0 : blackedOut.length / callers.length;
    const { share, window } = this.errorShare({ s });
    const X = share ?? 0;
    const E = this.#settings.errorShare;
    const heard = Math.max(...all.map((row) => row.heard));
    const state = this.#freshness(s, all, callers.length);
    const hasErrors = share !== null && X >= E;
    let level = 0;
    if (count('noted') > 0 || state === 'silent') level = 1;
    if (hasErrors || count('failing') > 0 || count('disputed') > 0 || blackedOut.length >= 1) level = 2;
    if (count('overloaded') > 0) level = 3;
    if (live.length >= 1 && (K >= 0.5 || L >= 0.999)) level = 4;
    const codes = new Set<string>();
    if (blackedOut.length > 0) codes.add('blackout');
    if (live.length > 0 && L >= 0.999) codes.add('all-hosts');
    if (hasErrors) codes.add('errors');
    if (state === 'silent') codes.add('silent');
    for (const one of ['overloaded', 'disputed', 'failing', 'noted'])
      if (count(one) > 0) codes.add(`hosts-${one}`);
    return {
      level,
      trouble: Math.round((level + Math.min(0.999, Math.max(L, K, X))) * 1000) / 1000,
      state,
      isHidden: callers.length === 0 && this.now - heard > this.#settings.hideS,
      codes,
      hosts: live.length,
      states,
      count,
      callers: callers.length,
      affected: affected.length,
      blackedOut: blackedOut.length,
      silent: known.length - callers.length,
      X,
      window,
      heard,
      calls60: this.calls({ s }, 6).calls,
      flapping: hosts.some((h) => this.flapping(h)),
      since: this.#since(s, level, hosts, hasErrors),
    };
  }

  #freshness(s: string, all: readonly NaiveRow[], callers: number): string {
    if (!this.#heardServices.has(s)) return 'table';
    if (callers > 0) return 'live';
    const lately = all.filter((row) => this.now - row.heard <= 900);
    const present = lately.every(({ v }) => ['reporting', 'connected'].includes(this.voiceState(v)));
    return present ? 'quiet' : 'silent';
  }

  #since(s: string, level: number, hosts: readonly string[], hasErrors: boolean): number | null {
    const open = this.incidents.filter((incident) => incident.ended === null && incident.s === s);
    const ofHosts = (...states: string[]) =>
      open.filter(({ h }) => h !== null && hosts.includes(h) && states.includes(this.hostState(h)));
    const ofKind = (kind: string) => open.filter((incident) => incident.kind === kind);
    const base = [
      [],
      ofHosts('noted'),
      [...ofHosts('disputed', 'failing'), ...ofKind('blackout'), ...(hasErrors ? ofKind('errors') : [])],
      ofHosts('overloaded'),
      [...ofHosts('overloaded'), ...ofKind('blackout')],
    ][level]!;
    return base.length === 0 ? null : Math.min(...base.map(({ began }) => began));
  }

  // What has a memory.

  #noteVoice(v: number, row: Row, peer: string | null): void {
    const voice = this.voices.get(v) ?? { heard: 0, live: false, peer: null, skews: [], lastTs: null };
    const isAgain = voice.live && voice.heard === this.now && voice.lastTs === row.ts;
    if (!isAgain) voice.skews.push(this.now - row.ts);
    this.voices.set(v, { ...voice, heard: this.now, live: true, peer, lastTs: row.ts });
  }

  #noteWrite(stored: string, v: number, isDirect: boolean, peer: string | null): void {
    const written = this.#writes.get(stored) ?? { last: null, hands: [] };
    this.#writes.set(stored, written);
    const { last } = written;
    if (last && peer !== null && last.peer !== peer && this.now - last.at <= 60)
      written.hands.push({ at: this.now, voices: isDirect ? [v] : [v, parseIpv4(last.peer)!] });
    written.last = peer === null ? null : { at: this.now, peer };
  }

  /** A run begins with the first hot row of a host that has none. */
  #noteRun(key: string, old: NaiveRow | undefined, heard: number): void {
    const row = this.rows.get(key)!;
    const { h } = row;
    const run = this.#runs.get(h);
    if (run && row.flag) {
      run.lastOn = Math.max(run.lastOn, heard);
      if (old && !old.flag && heard >= run.began) run.relapses++;
    }
    if (run || !this.hot(row)) return;
    const running = this.#deltas.filter((one) => one.h === h && bucketOf(one.at) === bucketOf(this.now));
    const { calls, errors } = this.calls({ h }, 6);
    this.#runs.set(h, {
      began: row.heard,
      before: {
        calls: calls + running.reduce((sum, one) => sum + one.calls, 0),
        errors: errors + running.reduce((sum, one) => sum + one.errs, 0),
      },
      firstCaller: row.v,
      lastOn: row.lastOn ?? 0,
      relapses: 0,
      peakHot: 0,
      callers: 0,
      incident: null,
    });
  }

  #followRun(h: string): void {
    const run = this.#runs.get(h);
    if (!run) return;
    const hot = this.hotOf(h);
    if (hot === 0) {
      if (run.incident) {
        run.incident.ended = Math.max(run.lastOn, run.began);
        run.incident.relapses = run.relapses;
      }
      this.#runs.delete(h);
      return;
    }
    if (hot > run.peakHot) [run.peakHot, run.callers] = [hot, this.callersOf(h)];
    if (!run.incident && ['disputed', 'overloaded'].includes(this.hostState(h))) {
      run.incident = {
        kind: 'host',
        s: h.split(' ')[0]!,
        h,
        began: run.began,
        ended: null,
        peakHot: 0,
        callers: 0,
        relapses: 0,
        before: run.before,
        firstCaller: run.firstCaller,
      };
      this.incidents.push(run.incident);
      this.#hostBegan.set(h, [...(this.#hostBegan.get(h) ?? []), run.began]);
    }
    if (run.incident)
      Object.assign(run.incident, { peakHot: run.peakHot, callers: run.callers, relapses: run.relapses });
  }

  #flaggedUntil(s: string): number {
    const runs = [...this.#runs].filter(([h]) => h.startsWith(`${s} `));
    return Math.min(this.now, ...runs.map(([, { lastOn }]) => lastOn));
  }

  #followService(s: string, flaggedUntil: number): void {
    const { blackedOut, callers, affected, X, window } = this.service(s);
    const blackout = this.incidents.find(
      (one) => one.s === s && one.kind === 'blackout' && one.ended === null,
    );
    this.#follow(s, 'blackout', blackedOut > 0, this.now, blackedOut, callers);
    if (blackout && blackout.ended !== null) blackout.ended = Math.max(blackout.began, flaggedUntil);
    const E = this.#settings.errorShare;
    const isLarge = window !== null && X >= E;
    if (!isLarge) this.#errorsSince.delete(s);
    else if (!this.#errorsSince.has(s)) this.#errorsSince.set(s, this.now);
    const open = this.incidents.find(
      (incident) => incident.s === s && incident.kind === 'errors' && incident.ended === null,
    );
    if (!open) {
      const since = this.#errorsSince.get(s);
      this.#wellSince.delete(s);
      if (since !== undefined && this.now - since >= 10)
        this.#follow(s, 'errors', true, since, affected, callers);
      return;
    }
    if (X >= E / 2) this.#wellSince.delete(s);
    else if (!this.#wellSince.has(s)) this.#wellSince.set(s, this.now);
    this.#follow(s, 'errors', true, 0, affected, callers);
    const well = this.#wellSince.get(s);
    if (well !== undefined && this.now - well >= 60) open.ended = Math.max(well, open.began);
  }

  #follow(
    s: string,
    kind: 'blackout' | 'errors',
    holds: boolean,
    began: number,
    hot: number,
    callers: number,
  ): void {
    let open = this.incidents.find(
      (incident) => incident.s === s && incident.kind === kind && incident.ended === null,
    );
    if (!holds) {
      if (open) open.ended = this.now;
      return;
    }
    if (!open) {
      const { calls, errors } = this.calls({ s }, 6);
      const running = this.#deltas.filter((one) => one.s === s && bucketOf(one.at) === bucketOf(this.now));
      open = {
        kind,
        s,
        h: null,
        began,
        ended: null,
        peakHot: 0,
        callers,
        relapses: 0,
        before: {
          calls: calls + running.reduce((sum, one) => sum + one.calls, 0),
          errors: errors + running.reduce((sum, one) => sum + one.errs, 0),
        },
        firstCaller: null,
      };
      this.incidents.push(open);
    }
    if (hot > open.peakHot) [open.peakHot, open.callers] = [hot, callers];
  }
}

function places({ modid, cmdid, ip, port }: Row): { s: string; h: string } {
  return { s: `${modid}/${cmdid}`, h: `${modid}/${cmdid} ${ip}:${port}` };
}
