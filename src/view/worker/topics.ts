import type { ServiceEvent, ServicesEvent } from '../event-shapes.js';
import type { ViewEvent, ViewTopic } from '../live.js';
import { headOf } from '../query/head.js';
import { changeAnswer } from '../query/list-changes.js';
import { listServices } from '../query/list-services.js';
import { Parameters, pathInt32, Unanswerable } from '../query/parameters.js';
import { showService } from '../query/show-service.js';
import type { Head, Host, ServiceAnswer, ServicesAnswer, Summary } from '../shapes.js';
import type { View } from '../view.js';
import { Known, shownAs, Watched } from './differences.js';

/** What is followed. */
interface Topic {
  /** Looks again; an event with what differs, undefined when nothing does. */
  update(): ViewEvent | undefined;
  /** Everything, as it was at the last update. */
  full(): readonly ViewEvent[];
}

/** What followers of the view are told. Equal topics are computed and encoded once a tick. */
export class Topics {
  readonly #view: View;
  readonly #topics = new Map<ViewTopic, Topic>();
  #lastChange: number;

  constructor(view: View) {
    this.#view = view;
    this.#lastChange = view.state.changes.newestId;
  }

  /** Begins, or goes on, to follow. Throws `Unanswerable`. */
  follow(name: ViewTopic): readonly ViewEvent[] {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = topicOf(this.#view, new URLSearchParams(name));
      this.#topics.set(name, topic);
    }
    return topic.full();
  }

  unfollow(name: ViewTopic): void {
    this.#topics.delete(name);
  }

  /** After each tick: what differs in which topic. */
  update(): (readonly [ViewTopic, ViewEvent])[] {
    const events: [ViewTopic, ViewEvent][] = [];
    for (const [name, topic] of this.#topics) {
      const event = topic.update();
      if (event) events.push([name, event]);
    }
    return events;
  }

  /** What has happened since the last call. */
  changes(): ViewEvent[] {
    const { state, snapshots } = this.#view;
    const happened = state.changes.after(this.#lastChange);
    this.#lastChange = state.changes.newestId;
    if (this.#topics.size === 0) return [];
    const id = snapshots.current.tick;
    return happened.map((change) => ({
      id,
      event: 'change',
      data: JSON.stringify(changeAnswer(state, change)),
    }));
  }
}

const KINDS = 'view=services, view=changes, or service=4242/17, each with the parameters of its path';

function topicOf(view: View, query: URLSearchParams): Topic {
  const [kind, service] = [query.getAll('view'), query.getAll('service')];
  if (kind.length + service.length !== 1)
    throw new Unanswerable(400, `view or service is to be given, once: ${KINDS}`);
  query.delete('view');
  query.delete('service');
  if (service.length === 1) return new ServiceTopic(view, service[0]!, query);
  if (kind[0] === 'changes') return changesTopic(query);
  if (kind[0] !== 'services') throw new Unanswerable(400, `view is to be services or changes: ${KINDS}`);
  if (query.has('snapshot')) throw new Unanswerable(400, 'snapshot is of one moment; it cannot be followed');
  return new ServicesTopic(view, query);
}

/** Changes come to all followers; these want nothing else. */
function changesTopic(query: URLSearchParams): Topic {
  new Parameters(query, []);
  return { update: () => undefined, full: () => [] };
}

/** Of a head, what followers are to hear of at once: not that time goes by. */
function lasting({ asOf: _, tick: __, ...head }: Head): unknown {
  return head;
}

class ServicesTopic implements Topic {
  readonly #view: View;
  readonly #query: URLSearchParams;
  readonly #known = new Known<Summary>();
  readonly #rest = new Watched();
  #last: ServicesAnswer;

  constructor(view: View, query: URLSearchParams) {
    this.#view = view;
    this.#query = query;
    this.#last = listServices(view, query);
    this.#compare();
  }

  update(): ViewEvent | undefined {
    this.#last = listServices(this.#view, this.#query);
    const { changed, gone, differs } = this.#compare();
    if (changed.length === 0 && gone.length === 0 && !differs) return undefined;
    return this.#event(false, changed, gone);
  }

  full(): ViewEvent[] {
    return [this.#event(true, this.#last.services, [])];
  }

  #compare() {
    const { services, snapshot: _, ...rest } = this.#last;
    const found = this.#known.compare(services.map((one) => [serviceName(one), one]));
    const differs = this.#rest.differs([services.map(serviceName), lasting(rest)]);
    return { ...found, differs };
  }

  #event(full: boolean, rows: readonly Summary[], gone: readonly string[]): ViewEvent {
    const { services, snapshot: _, ...rest } = this.#last;
    const event: ServicesEvent = { ...rest, full, order: services.map(serviceName), rows, gone };
    return { id: this.#last.tick, event: 'services', data: JSON.stringify(event) };
  }
}

function serviceName({ modid, cmdid }: Summary): string {
  return `${modid}/${cmdid}`;
}

class ServiceTopic implements Topic {
  readonly #view: View;
  readonly #query: URLSearchParams;
  readonly #modid: number;
  readonly #cmdid: number;
  readonly #known = new Known<Host>();
  readonly #parts = {
    head: new Watched(),
    summary: new Watched(),
    order: new Watched(),
    voices: new Watched(),
    matrix: new Watched(),
    incidents: new Watched(),
    rows: new Watched(),
  };
  #cells = new Map<string, string>();
  #columns = '';
  /** Undefined: the service is not known. */
  #last: ServiceAnswer | undefined;

  constructor(view: View, service: string, query: URLSearchParams) {
    const [modid = '', cmdid = '', ...more] = service.split('/');
    if (more.length > 0) throw new Unanswerable(400, 'service is to be two numbers, such as 4242/17');
    this.#view = view;
    this.#query = query;
    this.#modid = pathInt32('service', modid);
    this.#cmdid = pathInt32('service', cmdid);
    this.#look();
    this.#difference();
  }

  update(): ViewEvent | undefined {
    this.#look();
    const difference = this.#difference();
    return difference && this.#encode(difference);
  }

  full(): ViewEvent[] {
    const { summary = null, hosts = [], voices = [], matrix, incidents = [], rows } = this.#last ?? {};
    const cells = matrix ? cellsByHost(hosts, matrix.cells) : [];
    return [
      this.#encode({
        ...{ full: true, summary, order: hosts.map(hostName), hosts, gone: [], voices, incidents },
        matrix: {
          voices: matrix?.voices ?? [],
          omitted: matrix?.omitted ?? { hosts: 0, voices: 0 },
          cells: Object.fromEntries(cells),
        },
        ...(rows ? { rows } : {}),
      }),
    ];
  }

  #look(): void {
    try {
      this.#last = showService(this.#view, this.#modid, this.#cmdid, this.#query);
    } catch (error) {
      if (!(error instanceof Unanswerable) || error.status !== 404) throw error;
      this.#last = undefined;
    }
  }

  /** What differs from the last call. */
  #difference(): Omit<ServiceEvent, keyof Head> | undefined {
    const { summary = null, hosts = [], voices = [], matrix, incidents = [], rows } = this.#last ?? {};
    const { changed, gone } = this.#known.compare(hosts.map((host) => [hostName(host), host]));
    const order = hosts.map(hostName);
    const parts = this.#parts;
    const isNew = {
      head: parts.head.differs(lasting(headOf(this.#view))),
      summary: parts.summary.differs(summary),
      order: parts.order.differs(order),
      voices: parts.voices.differs(voices),
      matrix: parts.matrix.differs(matrix),
      incidents: parts.incidents.differs(incidents),
      rows: parts.rows.differs(rows),
    };
    const cells = isNew.matrix ? this.#changedCells(hosts) : {};
    const isAny = Object.values(isNew).includes(true);
    if (!isAny && changed.length === 0 && gone.length === 0) return undefined;
    return {
      ...{ full: false, summary, order, hosts: changed, gone },
      ...(isNew.voices ? { voices } : {}),
      ...(isNew.matrix && matrix
        ? { matrix: { voices: matrix.voices, omitted: matrix.omitted, cells } }
        : {}),
      ...(isNew.incidents ? { incidents } : {}),
      ...(isNew.rows && rows ? { rows } : {}),
    };
  }

  #changedCells(hosts: readonly Host[]): Record<string, string> {
    const matrix = this.#last?.matrix;
    const columns = shownAs(matrix?.voices ?? []);
    const cells = new Map(cellsByHost(hosts, matrix?.cells ?? []));
    const before = columns === this.#columns ? this.#cells : new Map<string, string>();
    this.#columns = columns;
    this.#cells = cells;
    return Object.fromEntries([...cells].filter(([host, letters]) => before.get(host) !== letters));
  }

  #encode(event: Omit<ServiceEvent, keyof Head>): ViewEvent {
    const whole: ServiceEvent = { ...headOf(this.#view), ...event };
    return { id: whole.tick, event: 'service', data: JSON.stringify(whole) };
  }
}

function hostName({ ip, port }: Host): string {
  return `${ip}:${port}`;
}

function cellsByHost(hosts: readonly Host[], cells: readonly string[]): [string, string][] {
  return cells.map((letters, index) => [hostName(hosts[index]!), letters]);
}
