import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Where the open file descriptors of a process lead: `socket:[4711]`, `/path/of/a/file`, `pipe:[12]`. */
export function openFiles(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).flatMap((fd) => {
    try {
      return [readlinkSync(`${dir}/${fd}`)];
    } catch {
      // Closed since it was listed.
      return [];
    }
  });
}

/** Whether a process has a file or socket open, as `openFiles` names it. One that is gone has none. */
export function holds(pid: number, file: string): boolean {
  try {
    return openFiles(pid).includes(file);
  } catch {
    return false;
  }
}

/** Whether all threads of a process have stopped, as SIGSTOP makes them do. */
export function areStopped(pid: number): boolean {
  const dir = `/proc/${pid}/task`;
  return readdirSync(dir).every((thread) => /\) T /.test(readFileSync(`${dir}/${thread}/stat`, 'latin1')));
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Memory of a process, in bytes. */
export interface Memory {
  /** Resident, of its own: heap, rows, buffers. */
  readonly ownBytes: number;
  /** Resident pages of files that are mapped: the program's, and the journal's as far as it was read through a map. */
  readonly mappedBytes: number;
  /** Address space of its own, resident or not: what RLIMIT_DATA limits. */
  readonly privateBytes: number;
}

/** Undefined when there is no such process. */
export function memoryOf(pid: number): Memory | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { ownBytes: bytes('RssAnon'), mappedBytes: bytes('RssFile'), privateBytes: bytes('VmData') };
}

/**
 * The socket at the server's end of a connection over 127.0.0.1, as `openFiles` names it; undefined while no process
 * has accepted it, and when it is over.
 */
export function socketAt(serverPort: number, clientPort: number): string | undefined {
  const local = `0100007F:${hex(serverPort)}`;
  const remote = `0100007F:${hex(clientPort)}`;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] !== local || fields[2] !== remote) continue;
    const inode = fields[9];
    return inode === undefined || inode === '0' ? undefined : `socket:[${inode}]`;
  }
  return undefined;
}

/** Processes that another one has started and that run, in the order of their numbers. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        // The name in parentheses may hold anything.
        const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(parent) === pid && state !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number)
    .sort((one, other) => one - other);
}

/** Processes that have `text` in their command line. */
export function processesNaming(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
