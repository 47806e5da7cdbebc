import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runBounded } from './bounded.js';
import { applied, ListError, type Mutant } from './mutant.js';

/** What tests and the compiler read besides what is compiled. */
const BESIDES = [
  ...['proto', 'schema', 'deploy', 'docs', 'README.md', 'README.zh-CN.md'],
  ...['config.json', 'package.json', 'tsconfig.json', 'ava.mysql.config.js', 'ava.cluster.config.js'],
];
const COMPILE_BOUND_MS = 120_000;
/** What a change leaves unused is no mistake. */
const COMPILE = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];

/** A copy of the project in a temporary folder, in which it is broken and tested. */
export class Workshop {
  readonly #signal: AbortSignal;
  /** What stood in files that were changed. Not read from the project again, where people may work meanwhile. */
  readonly #whole = new Map<string, string>();
  readonly dir: string;
  /** Where tests make their temporary files; its name is short for the sake of sockets in it. */
  readonly tempDir: string;

  /** `project`: the folder that is copied, of which nothing is changed. */
  constructor(project: string, signal: AbortSignal) {
    this.#signal = signal;
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'lars-mutants-'));
    this.tempDir = path.join(this.dir, 't');
    mkdirSync(this.tempDir);
    const { include } = jsonIn<{ include: readonly string[] }>(path.join(project, 'tsconfig.json'));
    for (const name of [...include, ...BESIDES])
      cpSync(path.join(project, name), path.join(this.dir, name), { recursive: true });
    symlinkSync(path.join(project, 'node_modules'), path.join(this.dir, 'node_modules'));
    this.#keepCachesOut();
  }

  /** AVA would keep its cache behind the link. */
  #keepCachesOut(): void {
    const file = path.join(this.dir, 'package.json');
    const settings = jsonIn<{ ava: object }>(file);
    writeFileSync(file, JSON.stringify({ ...settings, ava: { ...settings.ava, cache: false } }));
  }

  /** Compiles what has changed. Throws ListError when it cannot be. */
  async compile(what: string): Promise<void> {
    const { code, output } = await runBounded(path.join(this.dir, 'node_modules/.bin/tsc'), COMPILE, {
      cwd: this.dir,
      boundMs: COMPILE_BOUND_MS,
      signal: this.#signal,
    });
    if (code !== 0) throw new ListError(`${what} cannot be compiled: ${output.trim()}`);
  }

  /** Breaks the copy, which is to be compiled then. Throws ListError. */
  change(mutant: Mutant): void {
    for (const edit of mutant.edits) {
      const file = path.join(this.dir, edit.file);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, applied(text, mutant, edit));
      if (!this.#whole.has(file)) this.#whole.set(file, text);
    }
  }

  /** Makes the copy as it was, but for compiling it. */
  repair(): void {
    for (const [file, text] of this.#whole) writeFileSync(file, text);
    this.#whole.clear();
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function jsonIn<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
