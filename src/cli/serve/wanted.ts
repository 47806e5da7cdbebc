import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommonOptions } from '../common.js';

/**
 * Whether `keeper.enabled` holds, without all that checks a configuration: a keeper is to stay small. What cannot be
 * read is no matter of a keeper; whoever reads it then says what is wrong with it.
 */
export function isKeeperWanted({ config }: CommonOptions, env: NodeJS.ProcessEnv, cwd: string): boolean {
  const { LARS_KEEPER_ENABLED: asked = '' } = env;
  if (asked.trim() !== '') return asked.trim() === 'true';
  try {
    const text = readFileSync(resolve(cwd, config ?? 'config.json'), 'utf8').replace(/^\uFEFF/, '');
    const settings = JSON.parse(text) as { readonly keeper?: { readonly enabled?: unknown } } | null;
    return (settings?.keeper?.enabled ?? true) === true;
  } catch (error) {
    return config === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
