import { spawn } from 'node:child_process';

export interface BoundedOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly boundMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export interface Ended {
  readonly code: number | null;
  /** What it wrote on stdout and stderr. */
  readonly output: string;
  readonly isTimedOut: boolean;
}

/**
 * Runs a program in a process group of its own, of which nothing is left when this resolves: not when it hangs, and
 * not when it left servers behind. Rejects when it cannot be started, or was ended early.
 */
export async function runBounded(
  program: string,
  args: readonly string[],
  { cwd, env = process.env, boundMs, signal }: BoundedOptions,
): Promise<Ended> {
  signal.throwIfAborted();
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const take = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  };
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    killGroup();
  }, boundMs);
  signal.addEventListener('abort', killGroup);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      // Before "close": a server that it left behind keeps its pipes open.
      child.once('exit', (exitCode) => {
        killGroup();
        child.once('close', () => resolve(exitCode));
      });
    });
    signal.throwIfAborted();
    return { code, output, isTimedOut };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', killGroup);
  }
}
