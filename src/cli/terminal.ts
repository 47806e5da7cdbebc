import { ReporterError, StoreError } from '../model/errors.js';

export const EXIT_DONE = 0;
/** The command failed while it was running. */
export const EXIT_FAILED = 1;
/** Wrong usage or configuration: nothing was begun. */
export const EXIT_USAGE = 2;

/** Nobody could be asked. Of `status` and `incidents`. */
export const EXIT_UNASKED = 3;

/** The reporter that a command is about cannot be asked, or does not answer; the message says what to check. */
export class UnaskedError extends Error {
  override name = 'UnaskedError';
}

/** A command was given something it cannot work with; the message names it, its value and what to do. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What a command prints, and how it ends. Results go to stdout, everything else to stderr. */
export class Terminal {
  /** Whether errors come with their stack: at log levels debug and trace. */
  debug: boolean;
  /** What the process ends with when the command returns. */
  exitCode = EXIT_DONE;
  #isOutputLost = false;

  /** Called with an error that nobody caught, after which nothing can be relied on. */
  onBug: (error: unknown) => void = (error) => process.exit(this.fail(error));

  /** Called when stdout cannot be written. A reader that has seen enough (`| head`) is no failure. */
  onOutputGone: (error: NodeJS.ErrnoException) => void = (error) =>
    process.exit(error.code === 'EPIPE' ? EXIT_DONE : EXIT_FAILED);

  constructor() {
    // Until the configuration is read, the environment alone can ask for it.
    const { LARS_LOG_LEVEL: level = '' } = process.env;
    this.debug = isVerbose(level.trim());
  }

  /** A result, on stdout. */
  print(text: string): void {
    process.stdout.write(`${text}\n`, (error) => {
      // A reader that has seen enough is no failure; a full disk is.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') this.#isOutputLost = true;
    });
  }

  /** The exit code of a command that has returned `code`: a result that was not written is a failure. */
  finalCode(code: number): number {
    return this.#isOutputLost && code === EXIT_DONE ? EXIT_FAILED : code;
  }

  /** Something about the result, on stderr. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Prints on stderr what went wrong, one line per problem. Returns the exit code for it. */
  fail(error: unknown): number {
    const text = this.debug && error instanceof Error ? (error.stack ?? error.message) : messageLines(error);
    this.note(text);
    return exitCodeOf(error);
  }
}

/** Whether a log level shows stacks. */
export function isVerbose(level: string): boolean {
  return level === 'debug' || level === 'trace';
}

function messageLines(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .split('\n')
    .map((line) => `error: ${line}`)
    .join('\n');
}

/** The exit code that tells a user's mistake from a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_USAGE;
  if (error instanceof UnaskedError) return EXIT_UNASKED;
  if (error instanceof ReporterError && error.code === 'CONFIG_INVALID') return EXIT_USAGE;
  if (error instanceof StoreError && error.class === 'configuration') return EXIT_USAGE;
  return EXIT_FAILED;
}
