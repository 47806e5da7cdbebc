import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, ReporterError } from '../model/errors.js';
import { contentsOf } from './contents.js';
import { readOverrides } from './environment.js';
import { findJsonProblem, findRepeatedNames } from './json.js';
import { parseWith } from './parse.js';
import { type Config, schema } from './schema.js';

export interface LoadOptions {
  /** Configuration file; `./config.json`, which may be missing, unless given. */
  readonly file?: string | undefined;
  /** Usually `process.env`. */
  readonly env: NodeJS.ProcessEnv;
  /** Usually `process.cwd()`. */
  readonly cwd: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file that was read; undefined when there was none. */
  readonly file: string | undefined;
  /** Of files that are read with it, by key: another text for another content. */
  readonly digests: ReadonlyMap<string, string>;
  /** Warnings, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * The effective configuration: defaults, file, environment overrides. Relative paths are resolved against the
 * file's folder, without a file against `cwd`.
 *
 * Throws ReporterError `CONFIG_INVALID` when a named file is missing, a file cannot be read or is no JSON, or a
 * value is unusable; so it does for files of secrets, certificates and keys.
 */
export function loadConfig({ file, env, cwd }: LoadOptions): LoadedConfig {
  const path = resolve(cwd, file ?? 'config.json');
  const text = read(path, file === undefined);
  const overrides = readOverrides(schema, env);
  const config =
    text === undefined
      ? parseWith(schema, {}, cwd, overrides)
      : parseWith(schema, parseJson(path, text), dirname(path), overrides);
  const { digests, warnings } = contentsOf(config);
  return {
    ...{ config, digests },
    file: text === undefined ? undefined : path,
    warnings: [...overrides.warnings, ...warnings],
  };
}

function read(path: string, mayBeMissing: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && mayBeMissing) return undefined;
    const reason =
      code === 'ENOENT'
        ? 'does not exist; name an existing file with --config, or leave it out for the defaults'
        : `cannot be read (${code ?? messageOf(error)}); expected a readable JSON file`;
    throw new ReporterError('CONFIG_INVALID', `configuration file ${path} ${reason}`, { cause: error });
  }
}

function parseJson(path: string, fileText: string): unknown {
  const text = fileText.replace(/^\uFEFF/, '');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // JSON.parse's own message may quote a password, so it is not passed on, not even as the cause.
    const problem = findJsonProblem(text);
    const where = problem
      ? ` at line ${problem.line}, column ${problem.column}: expected ${problem.expected}`
      : '';
    throw new ReporterError('CONFIG_INVALID', `configuration file ${path} is not valid JSON${where}`);
  }
  // JSON.parse keeps the last of several, and discards the value of the first.
  const repeated = findRepeatedNames(text).map(
    ({ name, line, column, first }) =>
      `configuration file ${path} has ${name} again at line ${line}, column ${column}; ` +
      `it stands at line ${first.line}, column ${first.column} already: make one of them`,
  );
  if (repeated.length > 0) throw new ReporterError('CONFIG_INVALID', repeated.join('\n'));
  return parsed;
}
