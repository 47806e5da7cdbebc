/** What the history holds, as it is handed in and given out. Times are of the wall clock, epoch seconds. */

/** Something that happened. Fields that do not apply are null. */
export interface PastEvent {
  /** Grows from one to the next, over restarts, too. */
  readonly id: number;
  readonly atS: number;
  readonly kind: string;
  readonly modid: number | null;
  readonly cmdid: number | null;
  readonly ip: number | null;
  readonly port: number | null;
  readonly caller: number | null;
  readonly incident: number | null;
  readonly text: string;
}

export interface PastIncident {
  /** Grows from one to the next, over restarts, too. */
  readonly id: number;
  readonly kind: string;
  readonly modid: number;
  readonly cmdid: number;
  /** Null for those of a whole service. */
  readonly ip: number | null;
  readonly port: number | null;
  readonly beganS: number;
  /** 0 while it runs. */
  readonly endedS: number;
  /** When it was last known to run. */
  readonly lastS: number;
  readonly peakHot: number;
  readonly callers: number;
  readonly relapses: number;
  readonly calls: number;
  readonly errors: number;
  readonly firstCaller: number | null;
}

/** Everything of one minute. The tallies are as their layouts say, in any order; a key stands in each once. */
export interface PastMinute {
  /** Of the wall clock: epoch seconds / 60. */
  readonly minute: number;
  /** Seconds of it in which the view was live. */
  readonly coveredS: number;
  /** As SERVICES says. */
  readonly services: readonly Tally[];
  /** As HOSTS says: of those in trouble. */
  readonly hosts: readonly Tally[];
}

/** Numbers of one thing: first its key, then its fields, as a layout says. */
export type Tally = readonly number[];

/** The first id of a second: ids of different processes do not meet, and tell the time. */
export function firstIdOf(wallS: number): number {
  return Math.max(1, Math.floor(wallS) * IDS_A_SECOND);
}

/** The second in which, or after which, an id was given. */
export function secondOfId(id: number): number {
  return Math.floor(id / IDS_A_SECOND);
}

const IDS_A_SECOND = 4096;

export function encodeEvent(event: PastEvent): Buffer {
  const { atS, kind, modid, cmdid, ip, port, caller, incident, text } = event;
  return Buffer.from(JSON.stringify([atS, kind, modid, cmdid, ip, port, caller, incident, text]));
}

export function decodeEvent(id: number, bytes: Buffer): PastEvent {
  const [atS, kind, modid, cmdid, ip, port, caller, incident, text] = JSON.parse(bytes.toString()) as [
    ...[number, string, number | null, number | null, number | null, number | null],
    ...[number | null, number | null, string],
  ];
  return { id, atS, kind, modid, cmdid, ip, port, caller, incident, text };
}

export function encodeIncident(incident: PastIncident): Buffer {
  const { kind, modid, cmdid, ip, port, beganS, endedS, lastS } = incident;
  const { peakHot, callers, relapses, calls, errors, firstCaller } = incident;
  return Buffer.from(
    JSON.stringify([
      ...[kind, modid, cmdid, ip, port, beganS, endedS, lastS],
      ...[peakHot, callers, relapses, calls, errors, firstCaller],
    ]),
  );
}

export function decodeIncident(id: number, bytes: Buffer): PastIncident {
  const [kind, modid, cmdid, ip, port, beganS, endedS, lastS, ...rest] = JSON.parse(bytes.toString()) as [
    ...[string, number, number, number | null, number | null, number, number, number],
    ...[number, number, number, number, number, number | null],
  ];
  const [peakHot, callers, relapses, calls, errors, firstCaller] = rest;
  return {
    ...{ id, kind, modid, cmdid, ip, port, beganS, endedS, lastS },
    ...{ peakHot, callers, relapses, calls, errors, firstCaller },
  };
}
