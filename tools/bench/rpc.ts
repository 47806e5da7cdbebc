import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a child offers: functions of one argument that can be sent as JSON. */
export type Api = Readonly<Record<string, (argument: never) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

/** The child's side: answers calls until the parent has gone. */
export function serve(api: Api): void {
  process.on('message', (message) => {
    const { id, name, argument } = message as Call;
    const answer = (rest: { value: unknown } | { error: string }) => process.send?.({ id, ...rest });
    Promise.resolve()
      .then(() => api[name]!(argument as never))
      .then(
        (value) => answer({ value }),
        (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? '') : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit());
}

/** The parent's side of a process that serves `A`. */
export class Worker<A extends Api> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #exited: Promise<void>;
  #calls = 0;

  /** `file`: below bench/processes, without extension. */
  constructor(file: string, nodeOptions: readonly string[] = []) {
    const path = fileURLToPath(new URL(`processes/${file}.js`, import.meta.url));
    // Output of children goes to stderr: stdout belongs to the table.
    this.#child = fork(path, { execArgv: [...nodeOptions], stdio: ['ignore', 2, 2, 'ipc'] });
    running.add(this.#child);
    this.#child.on('message', (message) => {
      const answer = message as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        running.delete(this.#child);
        for (const [id, settle] of this.#waiting) settle({ id, error: `${file} ended: ${code ?? signal}` });
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  call<Name extends keyof A & string>(
    name: Name,
    ...[argument]: Parameters<A[Name]>
  ): Promise<Awaited<ReturnType<A[Name]>>> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.value as Awaited<ReturnType<A[Name]>>);
      });
      this.#child.send({ id, name, argument } satisfies Call);
    });
  }

  /** Ends the process at once (`SIGKILL`), or by letting go of it, which lets a profile be written. */
  async end(signal?: 'SIGKILL'): Promise<void> {
    if (signal) this.#child.kill(signal);
    else if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
