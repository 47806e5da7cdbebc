import { formatIpv4, parseIpv4 } from '../model/ipv4.js';
import type { ViewState } from './state.js';

/** A machine that called, as it is kept for the next start. */
export interface Machine {
  /** What the view knows it by: IPv4. */
  readonly caller: string;
  /** The loopback address its reports name it by; null when they name `caller`. */
  readonly via: string | null;
  /** Address its last report came from; null when that is not known. */
  readonly lastPeer: string | null;
  /** When it was last heard, epoch seconds of the wall clock. */
  readonly heardS: number;
}

/** Machines that were heard by this process, or by the one before; the one heard last first, at most `limit`. */
export function knownMachines({ voices, peers, clock }: ViewState, limit: number): Machine[] {
  const found: number[] = [];
  for (let voice = 0; voice < voices.records.high; voice++) {
    if (voices.records.used[voice] !== 1) continue;
    if (voices.live[voice] === 1 || voices.remembered[voice] === 1) found.push(voice);
  }
  found.sort((a, b) => voices.heard[b]! - voices.heard[a]!);
  return found.slice(0, limit).map((voice) => ({
    caller: formatIpv4(voices.ip(voice)),
    via: voices.via[voice] === 1 ? formatIpv4(voices.viaCaller[voice]!) : null,
    lastPeer: peers.address(voices.peer[voice]!),
    heardS: clock.toWall(voices.heard[voice]!),
  }));
}

/** Machines that the process before had heard. They are gone until a connection of theirs is open, or they are heard. */
export function rememberMachines(state: ViewState, machines: Iterable<Machine>): void {
  const { voices, peers, clock, settings, sampling, now } = state;
  for (const { caller, via, lastPeer, heardS } of machines) {
    const ip = parseIpv4(caller);
    const viaCaller = via === null ? undefined : parseIpv4(via);
    const heard = Math.min(clock.fromWall(heardS), now);
    if (ip === undefined || now - heard > settings.forgetS || !sampling.keeps(ip)) continue;
    const voice = voices.of(ip);
    if (voices.live[voice] === 1) continue;
    voices.remembered[voice] = 1;
    voices.heard[voice] = Math.max(voices.heard[voice]!, heard);
    if (lastPeer !== null) voices.peer[voice] = peers.number(lastPeer);
    voices.via[voice] = Number(viaCaller !== undefined);
    voices.viaCaller[voice] = viaCaller ?? 0;
  }
}

/** Machines that were remembered and have not been heard since. */
export function countLost({ voices }: ViewState): number {
  let lost = 0;
  for (let voice = 0; voice < voices.records.high; voice++)
    if (voices.records.used[voice] === 1 && voices.remembered[voice] === 1 && voices.live[voice] === 0)
      lost++;
  return lost;
}

/** Forgets machines that are not looked at any more, and have no rows. */
export function forgetMachines({ voices, sampling }: ViewState): void {
  for (let voice = 0; voice < voices.records.high; voice++) {
    if (voices.records.used[voice] !== 1 || sampling.keeps(voices.ip(voice))) continue;
    voices.remembered[voice] = 0;
    if (voices.rows[voice] === 0) voices.records.remove(voice);
  }
}
