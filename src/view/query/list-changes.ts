import type { HistoryReader } from '../../history/history-reader.js';
import type { PastEvent } from '../../history/kept-records.js';
import { formatIpv4 } from '../../model/ipv4.js';
import type { ChangeRecord } from '../changes.js';
import { pastOfChange } from '../past-records.js';
import { CHANGE_KINDS, type Change, type ChangeKind, type ChangesAnswer } from '../shapes.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { isoOf } from './incident-answer.js';
import { type HostFilter, Parameters } from './parameters.js';

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
/** Events that are looked at for one answer; the cursor goes on from there. */
const MOST_LOOKED_AT = 20_000;
/** Events are in the order in which they came; a clock that was set may have put their times out of it. */
const DISORDER_S = 3_600;

interface Filter {
  readonly since: number | undefined;
  readonly kinds: readonly ChangeKind[] | undefined;
  readonly modid: number | undefined;
  readonly cmdid: number | undefined;
  readonly host: HostFilter | undefined;
  readonly caller: number | undefined;
}

/** GET /api/changes. Throws `Unanswerable`. */
export function listChanges(view: View, query: URLSearchParams, past?: HistoryReader): ChangesAnswer {
  const asked = new Parameters(query, CHANGES_PARAMETERS);
  const { state } = view;
  view.settle();
  const filter: Filter = {
    since: asked.time('since', state.clock.toWall(state.now)),
    kinds: asked.words('kind', CHANGE_KINDS),
    modid: asked.int32('modid'),
    cmdid: asked.int32('cmdid'),
    host: asked.host('host'),
    caller: asked.ip('caller'),
  };
  const before = asked.integer('before', 1, Number.MAX_SAFE_INTEGER);
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const page: PastEvent[] = [];
  let cursor: number | null = null;
  let looked = 0;
  for (const event of newestFirst(state, before, past)) {
    if (filter.since !== undefined && event.atS < filter.since - DISORDER_S) break;
    if (isAsked(event, filter)) {
      if (page.length === limit) {
        cursor = page.at(-1)!.id;
        break;
      }
      page.push(event);
    }
    if (++looked < MOST_LOOKED_AT) continue;
    cursor = event.id;
    break;
  }
  return {
    ...headOf(view),
    events: page.map((event) => answerOf(state, event)),
    cursor: cursor === null ? null : String(cursor),
  };
}

/** What is in memory, then what is older. */
function* newestFirst(
  { changes, clock }: ViewState,
  before: number | undefined,
  past: HistoryReader | undefined,
): Generator<PastEvent> {
  const all = changes.all();
  for (let index = all.length - 1; index >= 0; index--)
    if (before === undefined || all[index]!.id < before) yield pastOfChange(clock, all[index]!);
  const oldest = all[0]?.id ?? Number.MAX_SAFE_INTEGER;
  yield* past?.events(Math.min(oldest, before ?? oldest)) ?? [];
}

function isAsked(event: PastEvent, { since, kinds, modid, cmdid, host, caller }: Filter): boolean {
  return (
    (since === undefined || event.atS >= since) &&
    (!kinds || kinds.some((kind) => kind === event.kind)) &&
    (modid === undefined || event.modid === modid) &&
    (cmdid === undefined || event.cmdid === cmdid) &&
    (!host || (event.ip === host.ip && (host.port === undefined || event.port === host.port))) &&
    (caller === undefined || event.caller === caller)
  );
}

export function changeAnswer(state: ViewState, change: ChangeRecord): Change {
  return answerOf(state, pastOfChange(state.clock, change));
}

function answerOf({ nameOf }: ViewState, event: PastEvent): Change {
  const { id, atS, kind, modid, cmdid, ip, port, caller, incident, text } = event;
  return {
    id,
    at: isoOf(atS),
    kind: CHANGE_KINDS.find((one) => one === kind) ?? 'reporter',
    modid,
    cmdid,
    name: modid === null || cmdid === null ? null : nameOf(modid, cmdid),
    host: ip === null ? null : `${formatIpv4(ip)}:${port}`,
    caller: caller === null ? null : formatIpv4(caller),
    incident,
    text,
  };
}
