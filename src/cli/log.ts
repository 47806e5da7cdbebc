import pino from 'pino';
import type { Config } from '../config.js';
import { messageOf } from '../model/errors.js';
import { isVerbose } from './terminal.js';

/** Log lines held for a reader of stderr that does not take them; more are dropped and counted. */
const MAX_HELD_BYTES = 1_048_576;
/** How long the end waits for the last lines to be taken. */
const LAST_LINES_MS = 500;

const SECRETS = ['token', 'password', 'admin.token', 'store.url', '*.token', '*.password', '*.store.url'];

export interface Log {
  readonly logger: pino.Logger;
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
  if (process.stderr.isTTY) {
    const { default: pretty } = await import('pino-pretty');
    const stream = pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss.l' });
    return { logger: pino(options, stream), close: async () => {} };
  }
  // Not synchronous: a reader of stderr that stands still must not stop the service.
  const stream = pino.destination({ dest: 2, sync: false, maxLength: MAX_HELD_BYTES });
  const logger = pino(options, stream);
  let dropped = 0;
  stream.on('drop', () => {
    dropped++;
  });
  stream.on('drain', () => {
    const lines = dropped;
    dropped = 0;
    if (lines > 0) logger.warn({ lines }, 'log lines were dropped: stderr was not read in time');
  });
  return { logger, close: () => closed(stream) };
}

function closed(stream: ReturnType<typeof pino.destination>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAST_LINES_MS);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    stream.end();
  });
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
