import type { ReloadDesk, ReloadOutcome } from '../model/reload.js';
import { type Answer, json, type Route } from './route.js';

/** POST reads the configuration again; GET tells what that would do. */
export function reloadRoutes(desk: ReloadDesk): Route[] {
  const path = '/api/reload';
  return [
    { method: 'POST', path, handle: async () => answerOf(await desk.reload()) },
    { method: 'GET', path, handle: () => answerOf(desk.preview()) },
  ];
}

function answerOf({ why, ...outcome }: ReloadOutcome): Answer {
  const body = why === undefined ? outcome : { ...outcome, error: why };
  if (outcome.outcome === 'invalid') return json(body, 400);
  return json(body, outcome.outcome === 'failed' ? 409 : 200);
}
