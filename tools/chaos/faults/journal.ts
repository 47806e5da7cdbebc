import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { areStopped } from '../../shared/procfs.js';
import type { Site } from '../site.js';
import { type Fault, Repeated } from './fault.js';

const LOOK_MS = 40;

/**
 * A disk without room for the journal, of every process that runs meanwhile. The kernel fails a write beyond the limit
 * as it fails one to a full disk; what the file has already can be written. One that has its reserve hardly notices, so
 * some are started again without.
 */
export function journalFaults({ service, options }: Site): Fault[] {
  const watching = new Repeated();
  /** A process that prepares to take over is full, too, and the one before may go on after all. */
  const full = new Set<number>();
  // The soft limit alone: not everybody may raise the hard one again.
  const limit = (pid: number, bytes: number | 'unlimited') =>
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  /** All at one go, so that nothing else happens to the process, and with it stopped: its file must not grow meanwhile. */
  const fill = (pid: number) => {
    process.kill(pid, 'SIGSTOP');
    try {
      while (!areStopped(pid));
      limit(pid, statSync(service.journalFile).size);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  };
  return [
    {
      name: 'journal full',
      group: 'journal',
      shortestMs: 500,
      longestMs: 3500,
      begin: async (random) => {
        service.isDiskFull = true;
        watching.start(async () => {
          const { state, reader } = service;
          if (
            (state === 'up' || state === 'starting') &&
            reader !== undefined &&
            reader !== service.fullPid
          ) {
            service.fullPid = reader;
            service.fullIncarnation = service.incarnation;
            full.add(reader);
            fill(reader);
          }
          return LOOK_MS;
        });
        if (random() < 0.5) return;
        // Not waited for: it may not be ready before there is room.
        const restarted = service.exclusively(async () => {
          if (service.state !== 'up') return;
          await service.kill();
          await service.start();
        });
        restarted.catch((error: unknown) => options.timeline.violation(String(error)));
      },
      end: async () => {
        service.isDiskFull = false;
        await watching.stop();
        service.fullPid = undefined;
        const limited = [...full];
        full.clear();
        for (const pid of limited) {
          try {
            limit(pid, 'unlimited');
          } catch (error) {
            // That process may be gone.
            if (service.state !== 'down' && service.reader === pid) throw error;
          }
        }
      },
    },
  ];
}
