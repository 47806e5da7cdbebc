import type { Reason } from './shapes.js';

/**
 * How one service stands at a tick: all that is shown of it in a list, in seconds of the view. Never changed; a
 * service that stands as before keeps the object, so who compares objects sees what changed.
 */
export interface Standing {
  readonly service: number;
  readonly modid: number;
  readonly cmdid: number;
  /** 0 … 4. */
  readonly level: number;
  readonly trouble: number;
  /** Code of the column `state` of services. */
  readonly state: number;
  readonly flapping: boolean;
  /** 0: none. */
  readonly since: number;
  readonly reasons: readonly Reason[];
  readonly hosts: number;
  readonly overloaded: number;
  readonly disputed: number;
  readonly failing: number;
  readonly noted: number;
  readonly withdrawn: number;
  readonly stale: number;
  readonly fresh: number;
  readonly affected: number;
  readonly blackedOut: number;
  readonly silent: number;
  readonly calls60: number;
  readonly errors60: number;
  readonly calls300: number;
  readonly errors300: number;
  /** Minute up to which its spark is shown. */
  readonly minute: number;
  /** Not heard for so long that lists leave it out. */
  readonly hidden: boolean;
  /** Share of the callers that was looked at. */
  readonly sampled: number;
}

/** Whether two standings of a service would be shown alike. */
export function standsAlike(a: Standing, b: Standing): boolean {
  return (
    a.trouble === b.trouble &&
    a.level === b.level &&
    a.state === b.state &&
    a.flapping === b.flapping &&
    a.since === b.since &&
    a.hosts === b.hosts &&
    a.overloaded === b.overloaded &&
    a.disputed === b.disputed &&
    a.failing === b.failing &&
    a.noted === b.noted &&
    a.withdrawn === b.withdrawn &&
    a.stale === b.stale &&
    a.fresh === b.fresh &&
    a.affected === b.affected &&
    a.blackedOut === b.blackedOut &&
    a.silent === b.silent &&
    a.calls60 === b.calls60 &&
    a.errors60 === b.errors60 &&
    a.calls300 === b.calls300 &&
    a.errors300 === b.errors300 &&
    a.minute === b.minute &&
    a.hidden === b.hidden &&
    a.sampled === b.sampled &&
    a.reasons.length === b.reasons.length &&
    a.reasons.every(({ text }, index) => text === b.reasons[index]!.text)
  );
}
