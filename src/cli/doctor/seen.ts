import { type Stats, statSync } from 'node:fs';

/** What stands in the way of a look, rather than being a failure of it. */
const IN_THE_WAY = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP']);

/** As `statSync`; undefined where nothing is, where a file stands in the way, and where this user may not look. */
export function seen(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (IN_THE_WAY.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
