import type { Config } from '../../config/index.js';
import { parseIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import type { CallersAnswer, Voice } from '../../view/shapes.js';
import { adminAddress, askAdmin, objectIn, placeOf } from '../admin-client.js';

/** Callers whose rows look older than they are. */
export interface SlowClocks {
  /** As the table has them. */
  readonly callers: ReadonlySet<number>;
  /** What a person should know of it. */
  readonly notes: readonly string[];
}

const IDLE_MS = 10_000;
const PAGE = 500;
/** A clock that is less behind makes no row older than a day. */
const BEHIND_S = 3600;

/** Asks the running reporter. Where there is none, or no view, nobody knows clocks: that is said. */
export async function slowClocks(config: Config, admin: Address | undefined): Promise<SlowClocks> {
  if (!admin && config.admin.port === 0)
    return unknown('admin.port is 0, so it is not known where the reporter is');
  const address = admin ?? adminAddress(config);
  const voices: Voice[] = [];
  try {
    for (let isMore = true; isMore; ) {
      const path = `/api/callers?skewed=true&limit=${PAGE}&offset=${voices.length}`;
      const { token, tls } = config.admin;
      const asked = { address, token, certificate: tls.cert, method: 'GET', path, idleMs: IDLE_MS };
      const { status, text } = await askAdmin(asked);
      const answer = objectIn(text) as Partial<CallersAnswer> | undefined;
      if (status !== 200 || !answer?.voices)
        return unknown(`the reporter at ${placeOf(address)} answers ${status}`);
      voices.push(...answer.voices);
      isMore = answer.voices.length > 0 && voices.length < (answer.total ?? 0);
    }
  } catch {
    return unknown(`no reporter answers at ${placeOf(address)}`);
  }
  const slow = voices.filter(({ skewS }) => skewS !== null && skewS >= BEHIND_S);
  const callers = new Set(slow.map(({ caller, via }) => parseIpv4(via ?? caller) ?? 0));
  const notes = slow.map(
    ({ caller, skewS }) =>
      `kept: rows of ${caller}, whose clock is ${Math.round((skewS ?? 0) / 3600)} h behind`,
  );
  return { callers, notes };
}

function unknown(why: string): SlowClocks {
  const note = `${why}: the ages of rows are taken by the clocks of agents, whatever these show`;
  return { callers: new Set(), notes: [note] };
}
