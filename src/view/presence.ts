import { tellVoice } from './happenings.js';
import { NEXT_OF_VOICE, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';
import { CONNECTED, FROM_TABLE, GONE, REPORTING } from './voices.js';

/** Looks at every voice: heard, connected or gone; shared; its clock. Tells what changed. */
export function watchVoices(state: ViewState): void {
  const { voices, now } = state;
  const { used, high } = voices.records;
  for (let voice = 0; voice < high; voice++) {
    if (used[voice] !== 1) continue;
    const before = voices.state[voice]!;
    const after = presenceOf(state, voice);
    if (after !== before) {
      voices.state[voice] = after;
      if (after === GONE && before !== 0) tellVoice(state, voice, 'voice-gone');
      if (before === GONE) tellVoice(state, voice, 'voice-back');
      markUnheard(state, voice);
    }
    const isShared = voices.sharedUntil[voice]! >= now ? 1 : 0;
    if (isShared !== (voices.told[voice]! & SHARED_TOLD ? 1 : 0)) {
      voices.told[voice]! ^= SHARED_TOLD;
      if (isShared === 1) tellVoice(state, voice, 'voice-shared');
    }
    if (voices.skewed[voice] !== (voices.told[voice]! & SKEW_TOLD ? 1 : 0)) {
      voices.told[voice]! ^= SKEW_TOLD;
      if (voices.skewed[voice] === 1) tellVoice(state, voice, 'voice-skew');
    }
  }
}

const SHARED_TOLD = 1;
const SKEW_TOLD = 2;

function presenceOf({ voices, peers, settings, now }: ViewState, voice: number): number {
  const isFresh = now - voices.heard[voice]! <= settings.freshS;
  if (isFresh) return voices.live[voice] === 1 ? REPORTING : FROM_TABLE;
  const isOpen =
    voices.live[voice] === 1 ? peers.open[voices.peer[voice]!]! > 0 : peers.isOpenFrom(voices.ip(voice));
  return isOpen ? CONNECTED : GONE;
}

/** Whether a service that is not heard is quiet or silent depends on its voices. */
function markUnheard({ voices, pairs, services }: ViewState, voice: number): void {
  const { words } = pairs.records;
  for (let link = voices.firstPair[voice]!; link !== 0; ) {
    const base = (link - 1) * PAIR_WORDS;
    link = words[base + NEXT_OF_VOICE]!;
    if (services.callers[words[base]!] === 0) services.markDirty(words[base]!);
  }
}
