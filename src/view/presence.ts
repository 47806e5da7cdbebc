import { tellVoice } from './happenings.js';
import { NEXT_OF_VOICE, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';
import { CONNECTED, FROM_TABLE, GONE, REPORTING } from './voices.js';

/** Looks at every voice: heard, connected or gone; shared; its clock. Tells what changed. */
export function watchVoices(state: ViewState): void {
  const { voices, settings, now } = state;
  const { used, high } = voices.records;
  for (let voice = 0; voice < high; voice++) {
    if (used[voice] !== 1) continue;
    if (voices.rows[voice] === 0 && now - voices.heard[voice]! > settings.forgetS) {
      voices.records.remove(voice);
      continue;
    }
    const before = voices.state[voice]!;
    const after = presenceOf(state, voice);
    if (after !== before) {
      voices.state[voice] = after;
      tellPresence(state, voice, before, after);
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

/** Names that machines of several addresses report under, as of the last look. */
export function countShared({ voices }: ViewState): number {
  let count = 0;
  for (let voice = 0; voice < voices.records.high; voice++)
    if (voices.records.used[voice] === 1 && (voices.told[voice]! & SHARED_TOLD) !== 0) count++;
  return count;
}

const SHARED_TOLD = 1;
const SKEW_TOLD = 2;
const GONE_TOLD = 4;

/** Of machines that were gone from the start, nothing is told. */
function tellPresence(state: ViewState, voice: number, before: number, after: number): void {
  const { told } = state.voices;
  if (after === GONE && before !== 0) {
    told[voice]! |= GONE_TOLD;
    tellVoice(state, voice, 'voice-gone');
  }
  if (before !== GONE || (told[voice]! & GONE_TOLD) === 0) return;
  told[voice]! &= ~GONE_TOLD;
  tellVoice(state, voice, 'voice-back');
}

function presenceOf({ voices, peers, settings, now }: ViewState, voice: number): number {
  const isFresh = now - voices.heard[voice]! <= settings.freshS;
  const isOpen = peers.open[voices.peer[voice]!]! > 0;
  if (voices.live[voice] === 1) return isFresh ? REPORTING : isOpen ? CONNECTED : GONE;
  // When it was heard says nothing of now: the process that heard it has ended, and its connections with it.
  const isRemembered = voices.remembered[voice] === 1;
  if (isFresh && !isRemembered) return FROM_TABLE;
  return isOpen || peers.isOpenFrom(voices.ip(voice)) ? CONNECTED : GONE;
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
