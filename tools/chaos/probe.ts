/**
 * Loaded into the reporter's process before its own code: at SIGPWR writes, into the file CHAOS_PROBE names, what
 * keeps the process busy and how much memory is in use, which nobody can tell from outside.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process holds. */
export interface Probe {
  /** Timers, sockets and the like that are in use, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Heap and buffers in use after a collection. */
  readonly liveBytes: number;
}

const { CHAOS_PROBE: file } = process.env;
if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGPWR', () => {
    collect();
    collect();
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const { heapUsed, external } = process.memoryUsage();
    const probe: Probe = { resources, liveBytes: heapUsed + external };
    // The reader never sees half of it.
    writeFileSync(`${file}.new`, JSON.stringify(probe));
    renameSync(`${file}.new`, file);
  });
}
