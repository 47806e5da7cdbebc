import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Bytes held for a reader that does not take them; lines beyond are discarded and counted. */
const MAX_HELD_BYTES = 1_048_576;
/** How long the end waits for the last lines to be taken. */
const LAST_LINES_MS = 500;
/** How often a terminal that stands still is tried again. Nothing tells when it takes more. */
const RETRY_MS = 50;

/** Standard output or standard error for lines that nothing may wait for: a reader that stands still must not stop a service. */
export interface Outlet {
  /** Whether people read it. */
  readonly isTerminal: boolean;
  /** Called when everything is out, after lines were discarded. */
  onDropped: (lines: number) => void;
  /** Lines that were discarded so far. */
  readonly discarded: number;
  /** Takes a line, or discards it when too much is held. */
  write(line: string): void;
  /** Resolves when everything is out, or nobody took it in time. */
  flush(): Promise<void>;
}

/** The outlet of file descriptor 1 or 2. */
export function openOutlet(fd: 1 | 2): Outlet {
  return (
    (isatty(fd) && TerminalOutlet.open(fd)) || new StreamOutlet(fd === 1 ? process.stdout : process.stderr)
  );
}

/**
 * A terminal. Node writes to terminals synchronously, so that one stopped by Ctrl-S would stop the process with it.
 * So it is opened once more, for writes that take what there is room for.
 */
class TerminalOutlet implements Outlet {
  readonly isTerminal = true;
  onDropped: (lines: number) => void = () => {};
  readonly #fd: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #dropped = 0;
  discarded = 0;
  #isGone = false;
  #retry: NodeJS.Timeout | undefined;
  #flushers: (() => void)[] = [];

  /** Undefined when this user may not open the terminal, which is then somebody else's. */
  static open(fd: number): TerminalOutlet | undefined {
    try {
      // Without O_NOCTTY a process that has no terminal would get this one, and with it its Ctrl-C.
      const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      return new TerminalOutlet(openSync(`/proc/self/fd/${fd}`, flags));
    } catch {
      return undefined;
    }
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.from(line);
    if (this.#heldBytes + bytes.length > MAX_HELD_BYTES) {
      this.#dropped++;
      this.discarded++;
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (!this.#retry) this.#send();
  }

  flush(): Promise<void> {
    if (this.#heldBytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LAST_LINES_MS);
      this.#flushers.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Writes what the terminal takes at once; the rest follows. */
  #send(): void {
    this.#retry = undefined;
    try {
      for (let bytes = this.#held[0]; bytes; bytes = this.#held[0]) {
        const written = writeSync(this.#fd, bytes);
        this.#heldBytes -= written;
        if (written === bytes.length) this.#held.shift();
        else this.#held[0] = bytes.subarray(written);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#send(), RETRY_MS);
        return;
      }
      // It was closed; nobody is left to be told.
      this.#isGone = true;
      this.#held = [];
      this.#heldBytes = 0;
      closeSync(this.#fd);
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    for (const flushed of this.#flushers.splice(0)) flushed();
    if (dropped > 0 && !this.#isGone) this.onDropped(dropped);
  }
}

/** A pipe or a file. Node does not wait for pipes. */
class StreamOutlet implements Outlet {
  readonly isTerminal: boolean;
  onDropped: (lines: number) => void = () => {};
  readonly #stream: NodeJS.WriteStream;
  #dropped = 0;
  discarded = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.isTerminal = stream.isTTY ?? false;
    stream.on('drain', () => {
      const lines = this.#dropped;
      this.#dropped = 0;
      if (lines > 0) this.onDropped(lines);
    });
  }

  write(line: string): void {
    if (this.#stream.writableLength > MAX_HELD_BYTES) {
      this.#dropped++;
      this.discarded++;
    } else {
      this.#stream.write(line);
    }
  }

  flush(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LAST_LINES_MS);
      this.#stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
