import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { until } from '../../src/testing/until.js';

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

export interface OnTerminal {
  /** Reads the terminal; stopped, nobody does. */
  readonly reader: ChildProcess;
  /** The process on the terminal. */
  readonly pid: number;
  readonly output: () => string;
}

/** Runs Node on a terminal of its own, which `script` of util-linux makes and reads. */
export async function onTerminal(
  t: ExecutionContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<OnTerminal> {
  const command = `echo pid=$$=; exec ${[process.execPath, ...args].map(quote).join(' ')}`;
  const reader = spawn('script', ['-qfc', command, '/dev/null'], {
    cwd,
    env: { ...process.env, SHELL: '/bin/sh', NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const pid = await until(() => Number(/pid=(\d+)=/.exec(output)?.[1] ?? 0), {
    boundMs: 20_000,
    what: 'the shell',
  });
  t.teardown(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    reader.kill('SIGKILL');
  });
  return { reader, pid, output: () => output };
}

/** A process that has ended and that its parent has not asked about is a zombie. */
export function isRunning(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}
