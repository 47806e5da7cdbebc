import type {
  Head,
  Host,
  HostName,
  HostRow,
  Incident,
  LevelCounts,
  Matrix,
  Summary,
  Voice,
} from './shapes.js';

/**
 * The events of `GET /api/events` that come from the view, as JSON. The first one of a topic is `full`; those after it
 * hold what differs from the one before. A full one may come again, and replaces everything. Of times that only say
 * when something was last heard, changes of less than ten seconds are no difference.
 *
 * The data of a `change` event is a `Change`.
 */

/** `4242/17` */
export type ServiceName = string;

/** `services`: one page of the list, as GET /api/services answers it. */
export interface ServicesEvent extends Head {
  readonly full: boolean;
  /** Services that match. */
  readonly total: number;
  /** By level, of those that match everything but `level` and `min`. */
  readonly counts: LevelCounts;
  /** The page, in its order. */
  readonly order: readonly ServiceName[];
  /** Those of the page that are new on it, or another than before. */
  readonly rows: readonly Summary[];
  /** Those that were on the page, and are not any more. */
  readonly gone: readonly ServiceName[];
}

/** `service`: one service, as GET /api/services/:modid/:cmdid answers it. */
export interface ServiceEvent extends Head {
  readonly full: boolean;
  /** Null: no agent has reported the service, or not for long. Everything else is empty then. */
  readonly summary: Summary | null;
  /** Its hosts, worst first. */
  readonly order: readonly HostName[];
  /** Hosts that are new, or others than before. */
  readonly hosts: readonly Host[];
  /** Hosts that were there, and are not any more. */
  readonly gone: readonly HostName[];
  /** From here on: left out when it is as before. */
  readonly voices?: readonly Voice[];
  readonly matrix?: {
    readonly voices: Matrix['voices'];
    readonly omitted: Matrix['omitted'];
    /** Cells by host. Those that are left out are as before; all are here when `voices` differs. */
    readonly cells: Readonly<Record<HostName, string>>;
  };
  readonly incidents?: readonly Incident[];
  /** There only when `host` or `caller` narrows it. */
  readonly rows?: readonly HostRow[];
}
