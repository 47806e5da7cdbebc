import { type IncomingHttpHeaders, request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { type AdminOptions, type ServedAdmin, startAdmin } from '../../src/admin/http.js';
import type { Logger } from '../../src/model/log.js';
import type { Address } from '../../src/model/status.js';
import { Metrics } from '../../src/observe/metrics.js';
import { reporterStatus } from './statuses.js';

export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Serves until the test ends; a reporter that runs, on any free port of 127.0.0.1, unless given otherwise. */
export async function serve(t: ExecutionContext, given: Partial<AdminOptions> = {}): Promise<ServedAdmin> {
  const status = given.status ?? (() => reporterStatus());
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    status,
    metrics: new Metrics({ writers: 2, source: status }),
    logger: SILENT,
    ...given,
  });
  t.teardown(() => admin.close());
  return admin;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a connection of its own. */
export function ask({ host, port }: Address, path: string, question: Question = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = question;
    const asked = request({ host, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
    asked.on('error', reject);
    if (body !== undefined) asked.setHeader('content-length', Buffer.byteLength(body));
    asked.end(body);
  });
}

/** Asks and parses; fails the test when the answer is not JSON by its content type. */
export async function askJson<Body extends object = { readonly error: string }>(
  t: ExecutionContext,
  address: Address,
  path: string,
  question?: Question,
): Promise<{ readonly status: number; readonly body: Body }> {
  const { status, headers, body } = await ask(address, path, question);
  t.is(headers['content-type'], 'application/json; charset=utf-8', path);
  return { status, body: JSON.parse(body) as Body };
}
