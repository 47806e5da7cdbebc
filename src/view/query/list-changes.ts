import { formatIpv4 } from '../../model/ipv4.js';
import type { ChangeRecord } from '../changes.js';
import { CHANGE_KINDS, type Change, type ChangesAnswer } from '../shapes.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { Parameters } from './parameters.js';

export const CHANGES_PARAMETERS = [
  'since',
  'kind',
  'modid',
  'cmdid',
  'host',
  'caller',
  'limit',
  'before',
] as const;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** GET /api/changes. Throws `Unanswerable`. */
export function listChanges(view: View, query: URLSearchParams): ChangesAnswer {
  const asked = new Parameters(query, CHANGES_PARAMETERS);
  const { state } = view;
  view.settle();
  const since = asked.time('since', state.clock.toWall(state.now));
  const kinds = asked.words('kind', CHANGE_KINDS);
  const modid = asked.int32('modid');
  const cmdid = asked.int32('cmdid');
  const host = asked.host('host');
  const caller = asked.ip('caller');
  const before = asked.integer('before', 1, Number.MAX_SAFE_INTEGER);
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const all = state.changes.all();
  const page: ChangeRecord[] = [];
  for (let index = all.length - 1; index >= 0 && page.length <= limit; index--) {
    const change = all[index]!;
    if (
      (before === undefined || change.id < before) &&
      (since === undefined || state.clock.toWall(change.at) >= since) &&
      (!kinds || kinds.includes(change.kind)) &&
      (modid === undefined || change.modid === modid) &&
      (cmdid === undefined || change.cmdid === cmdid) &&
      (!host || (change.ip === host.ip && (host.port === undefined || change.port === host.port))) &&
      (caller === undefined || change.caller === caller)
    )
      page.push(change);
  }
  const hasMore = page.length > limit;
  if (hasMore) page.pop();
  return {
    ...headOf(view),
    events: page.map((change) => changeAnswer(state, change)),
    cursor: hasMore ? String(page[page.length - 1]!.id) : null,
  };
}

export function changeAnswer({ clock, nameOf }: ViewState, change: ChangeRecord): Change {
  const { id, at, kind, modid, cmdid, ip, port, caller, incident, text } = change;
  return {
    id,
    at: clock.iso(at),
    kind,
    modid,
    cmdid,
    name: modid === null || cmdid === null ? null : nameOf(modid, cmdid),
    host: ip === null ? null : `${formatIpv4(ip)}:${port}`,
    caller: caller === null ? null : formatIpv4(caller),
    incident,
    text,
  };
}
