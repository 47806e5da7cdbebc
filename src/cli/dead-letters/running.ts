import { type DeadLetterFilter, type LetterJson, NOTHING_DONE } from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
import { formatIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import { askAdmin, objectIn, placeOf } from '../admin-client.js';
import type { LetterTool } from './tool.js';

export interface RunningReporter {
  /** Of its admin HTTP. */
  readonly address: Address;
  readonly token: string | undefined;
  /** See `AdminQuestion`. */
  readonly certificate: string | undefined;
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
  { address, token, certificate, journal }: RunningReporter,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const at = placeOf(address);
  const question = { address, token, certificate, method, path: `/api/dead-letters${path}`, body };
  const { status, text } = await askAdmin(question).catch((error: NodeJS.ErrnoException) => {
    const held = journal === undefined ? '' : `the journal ${journal} is in use, but `;
    throw new ReporterError(
      'CONNECTION_FAILED',
      `${held}no reporter answers at ${at} (${error.code ?? error.message})`,
      { cause: error },
    );
  });
  const answer = objectIn(text);
  if (status === 200 && answer) return answer as Body;
  const { error = 'this is not a reporter, or one of another version', ...done } = (answer ?? {}) as {
    error?: string;
  };
  const parts = Object.entries(done).map(([name, count]) => `${name} ${count}`);
  throw new Error(
    `the reporter at ${at} answers ${status}: ${error}${parts.length > 0 ? ` (until then: ${parts.join(', ')})` : ''}`,
  );
}
