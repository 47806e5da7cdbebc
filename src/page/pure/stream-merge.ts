import type { ServiceEvent, ServicesEvent } from '../../view/event-shapes.js';
import type { Head, Host, LevelCounts, ServiceAnswer, ServicesAnswer, Summary } from '../../view/shapes.js';

/** The list of services, put together from the events of the stream. */
export interface ServiceList extends Head {
  readonly total: number;
  readonly counts: LevelCounts;
  /** Ids, in the order that was asked for. */
  readonly order: readonly string[];
  readonly byId: ReadonlyMap<string, Summary>;
}

export function idOf({ modid, cmdid }: Pick<Summary, 'modid' | 'cmdid'>): string {
  return `${modid}/${cmdid}`;
}

export function nameOf({ ip, port }: Pick<Host, 'ip' | 'port'>): string {
  return `${ip}:${port}`;
}

/** The list after an event. One that builds on something that is not there gives undefined: all is to be asked anew. */
export function applyServices(
  list: ServiceList | undefined,
  { full, order, rows, gone, ...rest }: ServicesEvent,
): ServiceList | undefined {
  if (!full && !list) return undefined;
  const byId = new Map(full ? [] : list?.byId);
  for (const row of rows) byId.set(idOf(row), row);
  for (const id of gone) byId.delete(id);
  return order.every((id) => byId.has(id)) ? { ...rest, order, byId } : undefined;
}

/** The list of an answer of the API. */
export function listOf({ services, snapshot: _, ...rest }: ServicesAnswer): ServiceList {
  return {
    ...rest,
    order: services.map(idOf),
    byId: new Map(services.map((summary) => [idOf(summary), summary])),
  };
}

/**
 * One service after an event. `gone`: nobody knows it any more. Undefined: the event builds on something that is not
 * there, so all is to be asked anew.
 */
export function applyService(
  known: ServiceAnswer | undefined,
  event: ServiceEvent,
): ServiceAnswer | 'gone' | undefined {
  const { full, summary, order, hosts: changed, gone: _, voices, matrix, incidents, rows, ...head } = event;
  if (summary === null) return 'gone';
  const before = full ? undefined : known;
  const byName = new Map([...(before?.hosts ?? []), ...changed].map((host) => [nameOf(host), host]));
  const hosts = order.flatMap((name) => byName.get(name) ?? []);
  const nextVoices = voices ?? before?.voices;
  const nextIncidents = incidents ?? before?.incidents;
  if (hosts.length < order.length || !nextVoices || !nextIncidents) return undefined;
  const nextMatrix = matrixAfter(before, matrix, order);
  if (!nextMatrix) return undefined;
  return {
    ...head,
    ...{ summary, hosts, voices: nextVoices, matrix: nextMatrix, incidents: nextIncidents },
    ...(rows === undefined ? {} : { rows }),
  };
}

/** Cells come by host and stand in the order of the hosts. */
function matrixAfter(
  before: ServiceAnswer | undefined,
  change: ServiceEvent['matrix'],
  order: readonly string[],
): ServiceAnswer['matrix'] | undefined {
  const old = new Map(before?.hosts.map((host, index) => [nameOf(host), before.matrix.cells[index]]));
  const { voices, omitted } = change ?? before?.matrix ?? {};
  if (!voices || !omitted) return undefined;
  const cells = order
    .slice(0, order.length - omitted.hosts)
    .map((name) => change?.cells[name] ?? old.get(name));
  return cells.every((row) => row !== undefined && row.length === voices.length)
    ? { voices, omitted, cells: cells.flatMap((row) => row ?? []) }
    : undefined;
}
