import { readFileSync, rmSync } from 'node:fs';
import { until } from '../../src/testing/index.js';
import type { Probe } from './probe.js';

/** Asks a process that has loaded `probe.ts` what it holds; it writes that into `file`. */
export async function readProbe(pid: number, file: string): Promise<Probe> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGPWR');
  return until(() => JSON.parse(readFileSync(file, 'utf8')) as Probe, {
    boundMs: 20_000,
    what: 'the reporter to write what it holds',
  });
}
