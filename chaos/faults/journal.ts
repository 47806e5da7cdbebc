import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Site } from '../site.js';
import { type Fault, Repeated } from './fault.js';

/** Below it the journal's file has its first pages only; the kernel fails writes beyond as it does on a full disk. */
const FULL_BYTES = 16_384;
const LOOK_MS = 40;

/** A disk without room for the journal, of every process that runs meanwhile. */
export function journalFaults({ service }: Site): Fault[] {
  const watching = new Repeated();
  // The soft limit alone: not everybody may raise the hard one again.
  const limit = (pid: number, bytes: number | 'unlimited') =>
    promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  return [
    {
      name: 'journal full',
      group: 'journal',
      shortestMs: 500,
      longestMs: 3500,
      begin: async () =>
        watching.start(async () => {
          if (service.state === 'up' && service.pid !== service.fullPid) {
            service.fullPid = service.pid;
            await limit(service.pid, FULL_BYTES);
          }
          return LOOK_MS;
        }),
      end: async () => {
        await watching.stop();
        const { fullPid } = service;
        if (fullPid === undefined) return;
        await limit(fullPid, 'unlimited').catch((error: unknown) => {
          // That process may be gone.
          if (service.state !== 'down' && service.pid === fullPid) throw error;
        });
        service.fullPid = undefined;
      },
    },
  ];
}
