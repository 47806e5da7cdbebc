import { type DeadLetterFilter, type LetterJson, NOTHING_DONE } from '../../model/deadletter.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import { formatIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import type { LetterTool } from './tool.js';

export interface RunningReporter {
  /** Of its admin HTTP. */
  readonly address: Address;
  readonly token: string | undefined;
  /** The journal it holds, if that is how it was found. */
  readonly journal: string | undefined;
}

/** Works through the admin HTTP of a running reporter. */
export function askReporter(reporter: RunningReporter): LetterTool {
  return {
    isRunning: true,
    list: (filter, offset, limit) => {
      const query = new URLSearchParams({ ...fieldsOf(filter), offset: `${offset}`, limit: `${limit}` });
      return ask<{ total: number; letters: LetterJson[] }>(reporter, 'GET', `?${query}`);
    },
    settle: async (action, filter) => {
      const fields = Object.keys(filter).length === 0 ? { all: 'true' } : fieldsOf(filter);
      const outcome =
        action === 'drop'
          ? await ask<object>(reporter, 'DELETE', `?${new URLSearchParams(fields)}`)
          : await ask<object>(reporter, 'POST', '/replay', fields);
      return { ...NOTHING_DONE, ...outcome };
    },
    close: async () => {},
  };
}

function fieldsOf({ modid, cmdid, caller, code }: DeadLetterFilter): Record<string, string> {
  return {
    ...(modid === undefined ? {} : { modid: `${modid}` }),
    ...(cmdid === undefined ? {} : { cmdid: `${cmdid}` }),
    ...(caller === undefined ? {} : { caller: formatIpv4(caller) }),
    ...(code === undefined ? {} : { code }),
  };
}

async function ask<Body extends object>(
  { address: { host, port }, token, journal }: RunningReporter,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`http://${at}/api/dead-letters${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${Buffer.from(token).toString('latin1')}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (error) {
    const held = journal === undefined ? '' : `the journal ${journal} is in use, but `;
    throw new ReporterError('CONNECTION_FAILED', `${held}no reporter answers at ${at} (${reasonOf(error)})`, {
      cause: error,
    });
  }
  const answer = parsed(text);
  if (response.ok && answer) return answer as Body;
  const { error = 'it is no reporter, or another version', ...done } = (answer ?? {}) as { error?: string };
  const parts = Object.entries(done).map(([name, count]) => `${name} ${count}`);
  throw new Error(
    `the reporter at ${at} answers ${response.status}: ${error}${parts.length > 0 ? ` (by then: ${parts.join(', ')})` : ''}`,
  );
}

/** fetch says "fetch failed", and why only in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code ?? messageOf(cause ?? error);
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
