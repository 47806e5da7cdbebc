import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import type { Address } from '../../model/status.js';
import {
  type CallerAnswer,
  type CallersAnswer,
  type ChangesAnswer,
  type HostAddress,
  type HostAnswer,
  type HostsAnswer,
  LEVELS,
  type Level,
  type ServiceAnswer,
  type ServicesAnswer,
  type Summary,
  type Voice,
} from '../../view/shapes.js';
import { ViewClient } from '../view-client.js';

/** Services in one answer, at most. */
const PAGE = 500;
const MAX_SUSPECTS = 3;

/** What is asked for. */
export type Subject =
  | { readonly kind: 'services'; readonly min: Level; readonly limit: number; readonly hidden: boolean }
  | { readonly kind: 'service'; readonly modid: number; readonly cmdid: number; readonly limit: number }
  | { readonly kind: 'host'; readonly ip: string }
  | { readonly kind: 'caller'; readonly ip: string; readonly limit: number }
  | { readonly kind: 'changes'; readonly since: string; readonly limit: number }
  | { readonly kind: 'gone'; readonly limit: number }
  | { readonly kind: 'reporter' };

/** Machines that stand behind several complaints. */
export interface Suspects {
  readonly hosts: readonly HostAddress[];
  readonly callers: readonly Voice[];
}

export interface FoundServices {
  readonly kind: 'services';
  readonly services: ServicesAnswer;
  readonly suspects: Suspects;
  readonly subject: Subject;
}

/** What was answered. */
export type Found =
  | FoundServices
  | { readonly kind: 'service'; readonly service: ServiceAnswer }
  | { readonly kind: 'host'; readonly host: HostAnswer }
  | { readonly kind: 'caller'; readonly caller: CallerAnswer }
  | { readonly kind: 'changes'; readonly changes: ChangesAnswer }
  | { readonly kind: 'gone'; readonly gone: CallersAnswer }
  | { readonly kind: 'reporter' };

export interface Answered {
  readonly reporter: ReporterAnswer;
  readonly found: Found;
}

/** Asks a running reporter what its view knows. Everything rejects with UnaskedError when it cannot be asked. */
export class Reporter {
  readonly #client: ViewClient;

  /** `certificate`: see `AdminQuestion`. */
  constructor(address: Address, token: string | undefined, certificate: string | undefined) {
    this.#client = new ViewClient(address, token, certificate);
  }

  async ask(subject: Subject, signal?: AbortSignal): Promise<Answered> {
    const get = <Body>(path: string, query: Record<string, string> = {}) =>
      this.#client.json<Body>(path, query, signal);
    const reporter = await get<ReporterAnswer>('/api/reporter');
    return { reporter, found: await find(subject, get) };
  }

  /** The list of a subject as CSV, as the reporter gives it. */
  async csv(subject: Subject): Promise<string> {
    const { path, query } = listOf(subject);
    return (await this.#client.text(path, { ...query, format: 'csv' })).trimEnd();
  }
}

type Get = <Body>(path: string, query?: Record<string, string>) => Promise<Body>;

async function find(subject: Subject, get: Get): Promise<Found> {
  if (subject.kind === 'reporter') return { kind: 'reporter' };
  const { path, query } = listOf(subject);
  switch (subject.kind) {
    case 'services':
      return {
        ...{ kind: 'services', subject },
        services: await allServices(subject.limit, path, query, get),
        suspects: await suspectsOf(get),
      };
    case 'service':
      return { kind: 'service', service: await get(path, query) };
    case 'host':
      return { kind: 'host', host: await get(path, query) };
    case 'caller':
      return { kind: 'caller', caller: await get(path, query) };
    case 'changes':
      return { kind: 'changes', changes: await get(path, query) };
    case 'gone':
      return { kind: 'gone', gone: await get(path, query) };
  }
}

function listOf(subject: Subject): { readonly path: string; readonly query: Record<string, string> } {
  switch (subject.kind) {
    case 'services': {
      const { min, limit, hidden } = subject;
      const states = hidden ? { state: 'live,quiet,silent,table' } : {};
      return {
        path: '/api/services',
        query: { min: `${LEVELS.indexOf(min)}`, limit: `${Math.min(limit, PAGE)}`, ...states },
      };
    }
    case 'service':
      return {
        path: `/api/services/${subject.modid}/${subject.cmdid}`,
        query: { callers: `${Math.min(subject.limit, PAGE)}` },
      };
    case 'host':
      return { path: `/api/hosts/${subject.ip}`, query: {} };
    case 'caller':
      return { path: `/api/callers/${subject.ip}`, query: { limit: `${Math.min(subject.limit, PAGE)}` } };
    case 'changes':
      return {
        path: '/api/changes',
        query: { since: subject.since, limit: `${Math.min(subject.limit, 2 * PAGE)}` },
      };
    case 'gone':
      return {
        path: '/api/callers',
        query: { state: 'gone,table', limit: `${Math.min(subject.limit, PAGE)}` },
      };
    case 'reporter':
      return { path: '/api/reporter', query: {} };
  }
}

/** The worst few. */
async function suspectsOf(get: Get): Promise<Suspects> {
  const limit = String(MAX_SUSPECTS);
  const { hosts } = await get<HostsAnswer>('/api/hosts', { min: '2', limit });
  const { voices } = await get<CallersAnswer>('/api/callers', { suspect: 'true', limit });
  return { hosts: hosts.filter(({ suspect }) => suspect), callers: voices };
}

/** Page by page, all of one moment. */
async function allServices(
  limit: number,
  path: string,
  query: Record<string, string>,
  get: Get,
): Promise<ServicesAnswer> {
  const first = await get<ServicesAnswer>(path, query);
  const services: Summary[] = [...first.services];
  while (services.length < Math.min(limit, first.total)) {
    const page = await get<ServicesAnswer>(path, {
      ...query,
      ...{ snapshot: first.snapshot, offset: `${services.length}` },
    });
    if (page.services.length === 0) break;
    services.push(...page.services);
  }
  return { ...first, services: services.slice(0, limit) };
}
