import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UsageError } from '../terminal.js';
import type { Told } from './telling.js';

/** Undefined where there is none yet. Throws UsageError for a file that is something else. */
export function readCursor(file: string): Told | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return checked(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is no cursor of this command: give --cursor a file of its own`);
  }
}

function checked(found: unknown): Told {
  const { running, ended } = found as Partial<Record<keyof Told, unknown>>;
  const isIds = (ids: unknown): ids is number[] => Array.isArray(ids) && ids.every(Number.isSafeInteger);
  if (!isIds(running) || !isIds(ended)) throw new Error('it names no incidents');
  return { running, ended };
}

/** Whole or not at all, whenever the process is killed. */
export function writeCursor(file: string, told: Told): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(told)}\n`);
  renameSync(`${file}.new`, file);
}
