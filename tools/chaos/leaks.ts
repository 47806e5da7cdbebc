import { until } from '../../src/testing/index.js';
import { openFiles, residentBytes } from '../shared/procfs.js';
import type { Site } from './site.js';

/** What the process may hold at rest, beside sockets: see `measure`. */
const MAX_RESIDENT_BYTES = 512 * 1024 * 1024;
const MAX_LIVE_BYTES = 64 * 1024 * 1024;
/** Timers of a reporter at rest: those of its HTTP server, of the flush loops and of its connections. */
const MAX_TIMEOUTS = 40;
const BOUND_MS = 60_000;
/** Listeners for agents and for the admin HTTP; stdin, stdout and stderr, which are sockets here. */
const LISTENERS_AND_PIPES = 5;
/** Connections on which the admin HTTP is asked. */
const ASKING = 2;

/** What a reporter without agents holds. */
export interface Holding {
  readonly sockets: number;
  /** Files, pipes and other descriptors. */
  readonly others: number;
  readonly residentBytes: number;
  readonly liveBytes: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** Looks for what leaks: compares what a reporter without agents holds with what it should. */
export class LeakCheck {
  readonly #site: Site;
  #others: number | undefined;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Agents are silent. Resolves to what is held; what is too much is a violation. */
  async check(): Promise<Holding> {
    const { service, admin, options } = this.#site;
    const { timeline } = options;
    const mostSockets = LISTENERS_AND_PIPES + ASKING + service.writers;
    try {
      await until(
        async () => {
          const { traffic, view } = await admin.status();
          // A thread that starts opens files, and the store is read on a connection of its own.
          return (
            view.state === 'live' && traffic.connections === 0 && this.#descriptors().sockets <= mostSockets
          );
        },
        { boundMs: BOUND_MS, what: 'connections to be gone, and the view to be up' },
      );
    } catch {
      const { sockets } = this.#descriptors();
      timeline.violation(
        `a reporter without agents holds ${sockets} sockets, ${mostSockets} at most were expected`,
      );
    }
    const { resources, liveBytes } = await service.probe();
    const holding = {
      ...this.#descriptors(),
      residentBytes: residentBytes(service.pid),
      liveBytes,
      resources,
    };
    this.#others ??= holding.others;
    if (holding.others > this.#others)
      timeline.violation(`${holding.others} files are open, in the beginning there were ${this.#others}`);
    if ((resources['Timeout'] ?? 0) > MAX_TIMEOUTS)
      timeline.violation(`${resources['Timeout']} timers are set, ${MAX_TIMEOUTS} at most were expected`);
    if (holding.residentBytes > MAX_RESIDENT_BYTES)
      timeline.violation(`${mebibytes(holding.residentBytes)} are resident`);
    if (liveBytes > MAX_LIVE_BYTES) timeline.violation(`${mebibytes(liveBytes)} are in use at rest`);
    return holding;
  }

  #descriptors(): { readonly sockets: number; readonly others: number } {
    const files = openFiles(this.#site.service.pid);
    const sockets = files.filter((file) => file.startsWith('socket:')).length;
    return { sockets, others: files.length - sockets };
  }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}
