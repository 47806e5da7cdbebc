import type { Head, LevelCounts, ServiceAnswer, ServicesAnswer, Summary } from '../../view/shapes.js';

/** The list of services, put together from the events of the stream. */
export interface ServiceList extends Head {
  readonly total: number;
  readonly counts: LevelCounts;
  /** Ids, in the order that was asked for. */
  readonly order: readonly string[];
  readonly byId: ReadonlyMap<string, Summary>;
}

/** `services` of the stream: the first one holds everything, the next ones what is different. */
export interface ServicesEvent extends Head {
  readonly total: number;
  readonly counts: LevelCounts;
  readonly order: readonly string[];
  /** Those that are different. */
  readonly rows: readonly Summary[];
  /** Those that are on the page no more. */
  readonly gone?: readonly string[];
}

export function idOf({ modid, cmdid }: Pick<Summary, 'modid' | 'cmdid'>): string {
  return `${modid}/${cmdid}`;
}

/** The list after an event. An event that names rows nobody has sent gives undefined: all is to be asked anew. */
export function applyServices(list: ServiceList | undefined, event: ServicesEvent): ServiceList | undefined {
  const byId = new Map(list?.byId);
  for (const row of event.rows) byId.set(idOf(row), row);
  for (const id of event.gone ?? []) byId.delete(id);
  const shown = new Set(event.order);
  for (const id of byId.keys()) if (!shown.has(id)) byId.delete(id);
  if (byId.size < shown.size) return undefined;
  const { rows: _rows, gone: _gone, ...rest } = event;
  return { ...rest, byId };
}

/** The list of an answer of the API. */
export function listOf({ services, ...rest }: ServicesAnswer): ServiceList {
  return {
    ...rest,
    order: services.map(idOf),
    byId: new Map(services.map((summary) => [idOf(summary), summary])),
  };
}

/** `service` of the stream: whole parts of the answer replace the old ones. */
export type ServiceEvent = Partial<ServiceAnswer>;

/** Undefined when the event cannot be understood with what is there: all is to be asked anew. */
export function applyService(
  known: ServiceAnswer | undefined,
  event: ServiceEvent,
): ServiceAnswer | undefined {
  const next = { ...known, ...event };
  return isWhole(next) ? next : undefined;
}

function isWhole(answer: Partial<ServiceAnswer>): answer is ServiceAnswer {
  const { summary, hosts, voices, matrix, incidents } = answer;
  if (!summary || !hosts || !voices || !matrix || !incidents) return false;
  return (
    matrix.cells.length === hosts.length - matrix.omitted.hosts && matrix.voices.length === voices.length
  );
}
