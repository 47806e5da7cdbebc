import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { areStopped, childrenOf } from './procfs.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CliOptions {
  /** Added to an environment without any `LARS_…` variable. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What runs `lars-reporter`, with its first arguments; this Node and the project's own build unless given. */
  readonly program?: readonly [string, ...string[]];
  /** Bytes on stdin; an empty stdin unless given. */
  readonly input?: Uint8Array;
}

export interface CliResult {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `lars-reporter` as a process of its own until it ends. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new CliProcess(args, options).exited;
}

/** A started `lars-reporter`. */
export class CliProcess {
  readonly child: ChildProcess;
  /** Settles when the process has ended and its output was read. */
  readonly exited: Promise<CliResult>;
  stdout = '';
  stderr = '';

  constructor(
    args: readonly string[],
    { env = {}, cwd, program = [process.execPath, MAIN], input }: CliOptions = {},
  ) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LARS_'));
    const [file, ...first] = program;
    const child = spawn(file, [...first, ...args], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: 'pipe',
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // The process may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /**
   * Sends a signal, SIGTERM unless given, and waits for the end. SIGKILL goes to all of its processes at the same time,
   * as when a machine dies: a keeper that is killed alone gives its child the time to end in order.
   */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<CliResult> {
    if (signal === 'SIGKILL') this.#killChildren();
    this.child.kill(signal);
    return this.exited;
  }

  /** While this one stands still: it would start others in their place. */
  #killChildren(): void {
    const { pid } = this.child;
    if (pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGSTOP');
    try {
      // One that ends meanwhile never stands still.
      for (let looks = 0; looks < MOST_LOOKS && !areStopped(pid); looks++);
      for (const child of this.childPids) kill(child);
    } catch {
      // It has ended meanwhile.
    }
  }

  /** The processes that this one has started and that run. */
  get childPids(): number[] {
    return this.child.pid === undefined ? [] : childrenOf(this.child.pid);
  }

  /** The process that reads: the child of a keeper, or this one. */
  get readerPid(): number {
    return this.childPids.at(-1) ?? this.child.pid!;
  }
}

/** Of some microseconds each. */
const MOST_LOOKS = 20_000;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** What `serve` prints when it can take reports. */
export interface ReadyLine {
  readonly ready: true;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls?: { readonly host: string; readonly port: number };
  readonly admin: { readonly host: string; readonly port: number } | null;
}

/**
 * Starts `lars-reporter serve` and waits for its ready line. Rejects with its stderr when it ends before.
 * The caller stops it.
 */
export async function startServe(
  args: readonly string[],
  options: CliOptions = {},
): Promise<{ cli: CliProcess; ready: ReadyLine }> {
  const cli = new CliProcess(['serve', ...args], options);
  const line = await new Promise<string>((resolve, reject) => {
    cli.child.stdout?.on('data', () => {
      const [first, ...rest] = cli.stdout.split('\n');
      if (rest.length > 0) resolve(first!);
    });
    cli.exited.then(
      ({ code, stderr }) => reject(new Error(`serve ended with code ${code} before it was ready: ${stderr}`)),
      reject,
    );
  });
  return { cli, ready: JSON.parse(line) as ReadyLine };
}
