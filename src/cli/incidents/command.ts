import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { backoffMs } from '../../model/backoff.js';
import type { Address } from '../../model/status.js';
import { Parameters } from '../../view/query/parameters.js';
import type { Incident, IncidentsAnswer } from '../../view/shapes.js';
import { adminAddress } from '../admin-client.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { addressOption } from '../target.js';
import { type Terminal, UnaskedError } from '../terminal.js';
import { ViewClient } from '../view-client.js';
import { readCursor, writeCursor } from './cursor-file.js';
import { lineOf } from './incident-line.js';
import { type IncidentEvent, Telling } from './telling.js';

const EVERY_MS = 2_000;
const RETRY = { firstMs: 1_000, lastMs: 15_000 };
const PAGE = 1_000;
/** Unless it is said. */
const SINCE = '1h';
/** Incidents of one look, at most. */
const MOST = 20_000;
/** The end of an incident is known about a minute after it. */
const LOOK_BACK_S = 600;

interface IncidentsOptions extends CommonOptions {
  readonly admin?: Address;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly since?: string;
  readonly cursor?: string;
}

/** `lars-reporter incidents`: incidents of a running reporter, a line for each begin and each end. */
export function incidentsCommand(terminal: Terminal): Command {
  return commandWith(
    'Prints incidents of a running reporter: a line when one begins, a line when it ends.\n' +
      'Exit code: 0 done, also when it is told to stop, 2 wrong usage, 3 the reporter cannot be asked.',
    'lars-reporter incidents --follow --json | ./notify.sh',
  )
    .option('--follow', 'go on as they begin and end, until told to stop; those that run come first')
    .option('--json', 'print JSON lines')
    .option(
      '--since <time>',
      'those that ran in this time, such as 15m, 2h or an ISO time (default: 1h; with --follow only those that run)',
      timeOption,
    )
    .option('--cursor <file>', 'keep there what was printed, and print the rest the next time')
    .option(
      '--admin <host:port>',
      'ask the reporter there (default: admin of the configuration)',
      addressOption,
    )
    .action((options: IncidentsOptions) => incidents(options, terminal));
}

/** Looked at here: a reporter that is away does not say what is wrong with it. */
function timeOption(text: string): string {
  try {
    new Parameters(new URLSearchParams({ since: text }), ['since']).time('since', 0);
  } catch {
    throw new InvalidArgumentError(
      'Expected a span such as 15m or 2h, or a time such as 2026-11-27T02:00:00Z.',
    );
  }
  return text;
}

async function incidents(options: IncidentsOptions, terminal: Terminal): Promise<void> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const { token, viewToken, tls } = config.admin;
  const client = new ViewClient(options.admin ?? adminAddress(config), token ?? viewToken, tls.cert);
  const look = new Look(client, options);
  if (!options.follow) {
    if ((await look.take()) === 0 && options.cursor === undefined)
      terminal.note(`no incident ran in this time (--since ${options.since ?? SINCE})`);
    return;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await follow(look, stop.signal, terminal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Looks again and again. A reporter that does not answer is asked on, and that is said once. */
async function follow(look: Look, signal: AbortSignal, terminal: Terminal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await look.take(signal);
      if (failures > 0) terminal.note('the reporter answers again');
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UnaskedError)) throw error;
      if (failures++ === 0) terminal.note(`${error.message}; asking on`);
    }
    const pauseMs = failures === 0 ? EVERY_MS : backoffMs(failures, RETRY);
    await pause(pauseMs, undefined, { signal }).catch(() => {});
  }
}

class Look {
  readonly #client: ViewClient;
  readonly #isJson: boolean;
  readonly #cursor: string | undefined;
  readonly #telling: Telling;
  /** Of the first look; undefined: those that run. */
  readonly #since: string | undefined;
  #isFirst: boolean;

  constructor(client: ViewClient, { json = false, cursor, since, follow: goesOn = false }: IncidentsOptions) {
    this.#client = client;
    this.#isJson = json;
    this.#cursor = cursor;
    const known = cursor === undefined ? undefined : readCursor(cursor);
    this.#telling = new Telling(known);
    this.#since = since ?? (goesOn ? undefined : SINCE);
    this.#isFirst = known === undefined;
  }

  /** Prints what is new since the last look. Resolves with the number of lines. */
  async take(signal?: AbortSignal): Promise<number> {
    const isFirst = this.#isFirst;
    const recent = await this.#ask({ since: `${LOOK_BACK_S}s` }, signal);
    const older = isFirst
      ? await this.#ask(this.#since ? { since: this.#since } : { open: 'true' }, signal)
      : [];
    const missing = await this.#missing([...recent, ...older], signal);
    const news = this.#telling.news(isFirst ? older : [...recent, ...missing]);
    for (const event of news) {
      await write(`${this.#isJson ? JSON.stringify(documentOf(event)) : lineOf(event)}\n`);
      this.#telling.tell(event);
    }
    // What had ended before it was asked for is not news.
    if (isFirst)
      for (const event of this.#telling.news(recent.filter(({ ended }) => ended !== null)))
        this.#telling.tell(event);
    this.#isFirst = false;
    this.#telling.forget(recent);
    if (this.#cursor !== undefined && (news.length > 0 || isFirst))
      writeCursor(this.#cursor, this.#telling.told);
    return news.length;
  }

  async #ask(which: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Incident[]> {
    const found: Incident[] = [];
    for (let before: string | null | undefined; before !== null && found.length < MOST; ) {
      const answer: IncidentsAnswer = await this.#client.json(
        '/api/incidents',
        { ...which, limit: String(PAGE), ...(before === undefined ? {} : { before }) },
        signal,
      );
      found.push(...answer.incidents);
      before = answer.cursor;
    }
    return found;
  }

  /** Those told to run that are not among what was found: they ended while nobody could look. */
  async #missing(found: readonly Incident[], signal?: AbortSignal): Promise<Incident[]> {
    const ids = new Set(found.map(({ id }) => id));
    const missing: Incident[] = [];
    for (const id of this.#telling.told.running) {
      if (ids.has(id)) continue;
      const query = { before: String(id + 1), limit: '1' };
      const { incidents: list } = await this.#client.json<IncidentsAnswer>('/api/incidents', query, signal);
      missing.push(...list.filter((incident) => incident.id === id));
    }
    return missing;
  }
}

function documentOf({ event, at, incident }: IncidentEvent): object {
  return { event, at, ...incident };
}

/** A reader that is slow is waited for, not buffered for. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
