import pino from 'pino';
import type { Config } from '../config/index.js';
import { messageOf } from '../model/errors.js';
import { isVerbose } from './terminal.js';

/** Bytes of log lines held while nobody reads stderr; more lines are discarded and counted. */
const MAX_HELD_BYTES = 1_048_576;
/** How long the end waits until the last lines are read. */
const LAST_LINES_MS = 500;

const SECRETS = ['token', 'password', 'admin.token', 'store.url', '*.token', '*.password', '*.store.url'];

export type ProcessLogger = pino.Logger;

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
  const destination = new StandardError();
  const logger = pino(options, destination);
  destination.onDropped = (lines) =>
    logger.warn({ lines }, 'log lines were discarded: stderr was not read in time');
  return { logger, close: () => destination.flush() };
}

/** Writes lines to stderr without waiting. A reader of the log that hangs must not stop the service. */
class StandardError {
  onDropped: (lines: number) => void = () => {};
  #dropped = 0;

  constructor() {
    process.stderr.on('drain', () => {
      const lines = this.#dropped;
      this.#dropped = 0;
      if (lines > 0) this.onDropped(lines);
    });
  }

  write(line: string): void {
    if (process.stderr.writableLength > MAX_HELD_BYTES) this.#dropped++;
    else process.stderr.write(line);
  }

  /** Resolves when everything is out, or nobody took it in time. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LAST_LINES_MS);
      process.stderr.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
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
