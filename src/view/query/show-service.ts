import { formatIpv4 } from '../../model/ipv4.js';
import { NEXT, ROW_WORDS, VOICE } from '../caller-rows.js';
import { NEXT_OF_SERVICE, PAIR_FRESH, PAIR_HOT, PAIR_VOICE, PAIR_WORDS } from '../pairs.js';
import type { Matrix, ServiceAnswer } from '../shapes.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { compareHosts, hostAnswer } from './host-answer.js';
import { incidentAnswer } from './incident-answer.js';
import { type HostFilter, Parameters, Unanswerable } from './parameters.js';
import { letterOf, rowAnswer } from './row-answer.js';
import { summaryOf } from './summary-answer.js';
import { voiceAnswer } from './voice-answer.js';

export const SERVICE_PARAMETERS = ['callers', 'offset', 'host', 'caller'] as const;
const DEFAULT_CALLERS = 100;
const MAX_CALLERS = 500;
const MATRIX_HOSTS = 100;
const INCIDENTS = 20;

/** GET /api/services/:modid/:cmdid. Throws `Unanswerable`. */
export function showService(view: View, modid: number, cmdid: number, query: URLSearchParams): ServiceAnswer {
  const asked = new Parameters(query, SERVICE_PARAMETERS);
  const callers = asked.integer('callers', 0, MAX_CALLERS) ?? DEFAULT_CALLERS;
  const offset = asked.offset();
  const host = asked.host('host');
  const caller = asked.ip('caller');
  const { state } = view;
  view.settle();
  const service = state.services.find(modid, cmdid);
  const standing = service < 0 ? undefined : state.services.standings[service];
  if (!standing) throw new Unanswerable(404, `no agent has reported service ${modid}/${cmdid}`);
  const hosts = [...state.services.hostsOf[service]!].sort(compareHosts(state));
  const voices = voicesOf(state, service);
  const page = voices.slice(offset, offset + callers);
  return {
    ...headOf(view),
    summary: summaryOf(state, standing),
    hosts: hosts.map((one) => hostAnswer(state, one)),
    voices: page.map((voice) => voiceAnswer(state, voice)),
    matrix: matrixOf(state, hosts, page, voices.length),
    incidents: incidentsOf(state, modid, cmdid),
    ...(host === undefined && caller === undefined
      ? {}
      : { rows: rowsOf(state, hosts, voices, host, caller, offset, callers) }),
  };
}

/** All voices of a service: those that avoid most hosts first, then the fresh ones, then by address. */
function voicesOf({ services, pairs, voices }: ViewState, service: number): number[] {
  const { words } = pairs.records;
  const found: number[] = [];
  for (let link = services.firstPair[service]!; link !== 0; ) {
    const base = (link - 1) * PAIR_WORDS;
    found.push(link - 1);
    link = words[base + NEXT_OF_SERVICE]!;
  }
  const hot = (pair: number) => words[pair * PAIR_WORDS + PAIR_HOT]!;
  const isFresh = (pair: number) => Number(words[pair * PAIR_WORDS + PAIR_FRESH]! > 0);
  const ip = (pair: number) => voices.ip(words[pair * PAIR_WORDS + PAIR_VOICE]!) >>> 0;
  return found
    .sort((a, b) => hot(b) - hot(a) || isFresh(b) - isFresh(a) || ip(a) - ip(b))
    .map((pair) => words[pair * PAIR_WORDS + PAIR_VOICE]!);
}

function matrixOf(
  state: ViewState,
  hosts: readonly number[],
  voices: readonly number[],
  known: number,
): Matrix {
  const { words } = state.rows.records;
  const columns = new Map(voices.map((voice, column) => [voice, column]));
  const shown = hosts.slice(0, MATRIX_HOSTS);
  const cells = shown.map((host) => {
    const letters = new Array<string>(voices.length).fill('.');
    for (let link = state.hosts.firstRow[host]!; link !== 0; ) {
      const base = (link - 1) * ROW_WORDS;
      const column = columns.get(words[base + VOICE]!);
      if (column !== undefined) letters[column] = letterOf(state, link - 1);
      link = words[base + NEXT]!;
    }
    return letters.join('');
  });
  return {
    voices: voices.map((voice) => formatIpv4(state.voices.ip(voice))),
    cells,
    omitted: { hosts: hosts.length - shown.length, voices: known - voices.length },
  };
}

function incidentsOf(state: ViewState, modid: number, cmdid: number) {
  return state.incidents
    .newestFirst()
    .filter((incident) => incident.modid === modid && incident.cmdid === cmdid)
    .sort((a, b) => Number(a.ended !== 0) - Number(b.ended !== 0))
    .slice(0, INCIDENTS)
    .map((incident) => incidentAnswer(state, incident));
}

/** Rows of the asked hosts and callers, in the order of both. */
function rowsOf(
  state: ViewState,
  hosts: readonly number[],
  voices: readonly number[],
  host: HostFilter | undefined,
  caller: number | undefined,
  offset: number,
  limit: number,
) {
  const wantedHosts = hosts.filter(
    (one) =>
      !host ||
      (state.hosts.ip(one) === host.ip && (host.port === undefined || state.hosts.port(one) === host.port)),
  );
  const wantedVoices = voices.filter((voice) => caller === undefined || state.voices.ip(voice) === caller);
  const rows: number[] = [];
  for (const one of wantedHosts)
    for (const voice of wantedVoices) {
      const row = state.rows.records.find(one, voice);
      if (row >= 0) rows.push(row);
    }
  return rows.slice(offset, offset + limit).map((row) => rowAnswer(state, row));
}
