import { askForToken } from './liveness.js';

/** What the reporter answered instead; status 0: it did not answer. */
export class AskError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const PATIENCE_MS = 10_000;

interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
}

/**
 * Asks the reporter; `path` is relative, so that the page works below any prefix. The answer is of the same build as
 * the page, so its shape is taken as told. Rejects with AskError; where a token is needed, the page asks for it.
 */
export async function ask<Answer>(path: string, { method = 'GET', body }: Request = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (error) {
    throw new AskError(0, error instanceof Error ? error.message : String(error));
  }
  if (response.status === 401 && path !== 'api/session') askForToken();
  const text = await response.text().catch(() => '');
  const answer = parsed(text);
  if (!response.ok) throw new AskError(response.status, errorIn(answer) ?? response.statusText);
  return answer as Answer;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined;
  return typeof answer.error === 'string' ? answer.error : undefined;
}
