import { formatIpv4 } from '../../model/ipv4.js';
import type { Voice } from '../shapes.js';
import type { ViewState } from '../state.js';
import { VOICE_STATE_OF } from '../voices.js';

/** So many lone complaints, and half of all it has, make a caller suspect. */
const SUSPECT_LONE = 3;

export function isSuspect({ voices }: ViewState, voice: number): boolean {
  const lone = voices.lone[voice]!;
  return lone >= SUSPECT_LONE && lone * 2 >= voices.hot[voice]!;
}

export function isShared({ voices, now }: ViewState, voice: number): boolean {
  return voices.sharedUntil[voice]! >= now;
}

/** A caller as answers show it. */
export function voiceAnswer(state: ViewState, voice: number): Voice {
  const { voices, peers, clock } = state;
  return {
    caller: formatIpv4(voices.ip(voice)),
    via: voices.via[voice] === 1 ? formatIpv4(voices.viaCaller[voice]!) : null,
    state: VOICE_STATE_OF[voices.state[voice]!] ?? 'table',
    heard: clock.isoOrNull(voices.heard[voice]!),
    lastPeer: voices.live[voice] === 1 ? peers.address(voices.peer[voice]!) : null,
    skewS: voices.skewS(voice),
    shared: isShared(state, voice),
    hot: voices.hot[voice]!,
    lone: voices.lone[voice]!,
    suspect: isSuspect(state, voice),
  };
}
