import type { HistoryReader } from '../../history/history-reader.js';
import type { ViewPath, ViewQuestion, ViewReply } from '../live.js';
import { listCallers, showCaller } from '../query/list-callers.js';
import { listChanges } from '../query/list-changes.js';
import { listHosts, showHost } from '../query/list-hosts.js';
import { listIncidents } from '../query/list-incidents.js';
import { listServices } from '../query/list-services.js';
import { pathInt32, pathIp, Unanswerable } from '../query/parameters.js';
import { showHistory } from '../query/show-history.js';
import { showService } from '../query/show-service.js';
import type { View } from '../view.js';

type Params = ViewQuestion['params'];
type Answering = (view: View, query: URLSearchParams, params: Params, past?: HistoryReader) => unknown;

const ANSWERING: Readonly<Record<ViewPath, Answering>> = {
  '/api/services': listServices,
  '/api/services/:modid/:cmdid': (view, query, { modid = '', cmdid = '' }) =>
    showService(view, pathInt32('modid', modid), pathInt32('cmdid', cmdid), query),
  '/api/hosts': listHosts,
  '/api/hosts/:ip': (view, query, { ip = '' }) => showHost(view, pathIp(ip), query),
  '/api/callers': listCallers,
  '/api/callers/:ip': (view, query, { ip = '' }) => showCaller(view, pathIp(ip), query),
  '/api/changes': (view, query, _, past) => listChanges(view, query, past),
  '/api/incidents': (view, query, _, past) => listIncidents(view, query, past),
  '/api/history': (view, query, _, past) => showHistory(view, query, past),
};

const encoder = new TextEncoder();

/** Answers a question, as JSON. `past`: what was kept; undefined while it cannot be read. */
export function answer(
  view: View,
  { path, query, params }: ViewQuestion,
  past: HistoryReader | undefined,
): ViewReply {
  try {
    return reply(200, ANSWERING[path](view, new URLSearchParams(query), params, past));
  } catch (error) {
    if (error instanceof Unanswerable) return reply(error.status, { error: error.message });
    throw error;
  }
}

function reply(status: ViewReply['status'], value: unknown): ViewReply {
  return { status, body: encoder.encode(`${JSON.stringify(value)}\n`) };
}
