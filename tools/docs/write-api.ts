import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ToolError } from '../shared/tool.js';

const run = promisify(execFile);

/**
 * Writes the documentation of the API, from docstrings, into a folder. Throws ToolError when an exported name has no
 * docstring, or one that it needs is not exported; then nothing is written.
 */
export async function writeApi(project: string, folder: string): Promise<void> {
  const tool = await installed(path.join(project, 'tools/api-docs'));
  const modules = path.join(tool, 'node_modules');
  const args = [
    path.join(modules, 'typedoc/bin/typedoc'),
    ...['--options', path.join(project, 'tools/api-docs/typedoc.json')],
    ...['--plugin', path.join(modules, 'typedoc-plugin-markdown/dist/index.js')],
    ...['--out', folder, '--cleanOutputDir', 'true'],
  ];
  try {
    await run(process.execPath, args, { cwd: project, env: { ...process.env, NO_COLOR: '1' } });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new ToolError(`the documentation of the API cannot be written:\n${stdout}${stderr}`);
  }
}

/** What writes it, installed once in the cache: it needs another compiler than the project. */
async function installed(source: string): Promise<string> {
  const lock = readFileSync(path.join(source, 'package-lock.json'));
  const cache = path.join(
    process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'),
    'lars-reporter',
  );
  const target = path.join(cache, `api-docs-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, '.api-docs-'));
  for (const name of ['package.json', 'package-lock.json'])
    cpSync(path.join(source, name), path.join(work, name));
  await run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: work });
  try {
    renameSync(work, target);
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(target)) throw error;
    rmSync(work, { recursive: true });
  }
  return target;
}
