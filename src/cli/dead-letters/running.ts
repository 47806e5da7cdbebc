import { request as httpRequest } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { type DeadLetterFilter, type LetterJson, NOTHING_DONE } from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
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
  const { status, text } = await request(
    { host, port, path: `/api/dead-letters${path}`, method, token },
    body,
  ).catch((error: NodeJS.ErrnoException) => {
    const held = journal === undefined ? '' : `the journal ${journal} is in use, but `;
    throw new ReporterError(
      'CONNECTION_FAILED',
      `${held}no reporter answers at ${at} (${error.code ?? error.message})`,
      { cause: error },
    );
  });
  const answer = parsed(text);
  if (status === 200 && answer) return answer as Body;
  const { error = 'this is not a reporter, or one of another version', ...done } = (answer ?? {}) as {
    error?: string;
  };
  const parts = Object.entries(done).map(([name, count]) => `${name} ${count}`);
  throw new Error(
    `the reporter at ${at} answers ${status}: ${error}${parts.length > 0 ? ` (until then: ${parts.join(', ')})` : ''}`,
  );
}

interface Question {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly token: string | undefined;
}

/** Not `fetch`, which asks at no port that browsers hold for dangerous, and gives up after five minutes. */
function request(
  { token, ...question }: Question,
  body: object | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const asked = httpRequest(
      {
        ...question,
        agent: false,
        headers: {
          ...(token === undefined
            ? {}
            : { authorization: `Bearer ${Buffer.from(token).toString('latin1')}` }),
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
        },
      },
      (response) => {
        textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      },
    );
    asked.on('error', reject);
    asked.end(content);
  });
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
