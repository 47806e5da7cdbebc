import { Agent, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { parseIpv4 } from '../../src/client/index.js';
import type { Ledger, ReporterStatus, Row } from '../../src/index.js';
import type { LetterJson } from '../../src/model/dead-letter.js';

const HOST = '127.0.0.1';
/** A process that stands still is asked again later. */
const ANSWER_MS = 2000;
/** Letters are listed so many at a time. */
const LETTERS_A_PAGE = 10_000;

/** Connections that are kept for questions. */
const MAX_SOCKETS = 2;

/** The admin HTTP of the reporter, as operators and their tools use it. Rejects while nobody answers. */
export class Admin {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });

  constructor(port: number) {
    this.#port = port;
  }

  ledger(): Promise<Ledger & { readonly writers: readonly Ledger[] }> {
    return this.#ask('GET', '/api/ledger');
  }

  status(): Promise<ReporterStatus> {
    return this.#ask('GET', '/api/status');
  }

  /** Rows that the store rejects. */
  async letters(): Promise<Row[]> {
    const { letters, total } = await this.#ask<{ letters: LetterJson[]; total: number }>(
      'GET',
      `/api/dead-letters?limit=${LETTERS_A_PAGE}`,
    );
    if (total > letters.length) throw new Error(`${total} dead letters are more than one page`);
    return letters.map((letter) => ({
      ...letter,
      ip: parseIpv4(letter.ip)! | 0,
      caller: parseIpv4(letter.caller)! | 0,
    }));
  }

  /** Puts all dead letters in front of the store again. */
  replay(): Promise<{ replayed: number; superseded: number; kept: number }> {
    return this.#ask('POST', '/api/dead-letters/replay', { all: true });
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: HOST,
          port: this.#port,
          method,
          path,
          agent: this.#agent,
          signal: AbortSignal.timeout(ANSWER_MS),
          ...(content === undefined
            ? {}
            : { headers: { 'content-type': 'application/json', 'content-length': content.length } }),
        },
        (response) => {
          textOf(response).then((text) => {
            if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
            else reject(new Error(`${path} answers ${response.statusCode}: ${text}`));
          }, reject);
        },
      );
      asked.on('error', reject);
      asked.end(content);
    });
  }
}
