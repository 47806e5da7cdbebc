import pino from 'pino';
import type { Config } from '../config/index.js';
import { messageOf } from '../model/errors.js';
import { type Outlet, openOutlet } from './outlet.js';
import { isVerbose } from './terminal.js';

const NAMES = ['token', 'viewToken', 'password', 'store.url'];
const SECRETS = NAMES.flatMap((name) => [name, `*.${name}`]);

export type ProcessLogger = pino.Logger;

export interface Log {
  readonly logger: pino.Logger;
  /** Says why the process ends, at a level that may not be logged: as a plain line then. */
  failure(level: 'error' | 'fatal', fields: object, message: string): void;
  /** Ends the log; resolves when the last line is out or nobody takes it. */
  close(): Promise<void>;
}

/** JSON lines on stderr; on a terminal, lines for people. Secrets are masked, stacks come at level debug. */
export async function createLog(level: Config['log']['level']): Promise<Log> {
  const errorFields = (error: unknown): unknown => describeError(error, isVerbose(level));
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: errorFields, error: errorFields },
    redact: { paths: SECRETS, censor: '***' },
  };
  const outlet = openOutlet(2);
  const write = outlet.isTerminal ? await prettyWriter(outlet) : (line: string) => outlet.write(line);
  const logger = Object.assign(pino(options, { write }), { discardedLines: () => outlet.discarded });
  outlet.onDropped = (lines) => {
    const severity = logger.isLevelEnabled('warn') ? 'warn' : 'error';
    logger[severity]({ lines }, 'log lines were discarded: stderr was not read in time');
  };
  return {
    logger,
    failure: (severity, fields, message) => {
      if (logger.isLevelEnabled(severity)) logger[severity](fields, message);
      else outlet.write(`error: ${message}\n`);
    },
    close: () => outlet.flush(),
  };
}

/** Writes log lines the way people read them. */
async function prettyWriter(outlet: Outlet): Promise<(line: string) => void> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ translateTime: 'SYS:HH:MM:ss.l' });
  return (line) => outlet.write(pretty(line) ?? line);
}

function describeError(error: unknown, withStack: boolean): unknown {
  if (!(error instanceof Error)) return error;
  return {
    name: error.name,
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    ...('class' in error ? { class: error.class } : {}),
    ...(error.cause === undefined ? {} : { cause: messageOf(error.cause) }),
    ...(withStack ? { stack: error.stack } : {}),
  };
}
