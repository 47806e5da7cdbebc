import { formatIpv4 } from './ipv4.js';
import type { Row } from './row.js';

/** The newest rejected value of a key. */
export interface DeadLetter {
  readonly row: Row;
  /** Address it came from. */
  readonly peer: string;
  /** Code and message of the store's error. */
  readonly code: string;
  readonly message: string;
  /** When the key was rejected first and last; milliseconds since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Values of the key that were rejected. */
  readonly count: number;
}

/** A dead letter as JSON: addresses dotted, times in ISO 8601. */
export interface LetterJson extends Omit<Row, 'ip' | 'caller'> {
  readonly ip: string;
  readonly caller: string;
  readonly peer: string;
  readonly code: string;
  readonly message: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export function letterJson({ row, peer, code, message, firstAt, lastAt, count }: DeadLetter): LetterJson {
  const { modid, cmdid, ip, port, caller, succ, err, ts, overload } = row;
  return {
    ...{ modid, cmdid, ip: formatIpv4(ip), port, caller: formatIpv4(caller) },
    ...{ succ, err, ts, overload, peer, code, message, count },
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
  };
}

/** Which dead letters are meant; what is left out matches any. */
export interface DeadLetterFilter {
  readonly modid?: number;
  readonly cmdid?: number;
  /** IPv4 in host order as int32. */
  readonly caller?: number;
  /** The store's code. */
  readonly code?: string;
}

/** Whether the filter names anything at all. */
export function isRestricted(filter: DeadLetterFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Whether the filter means this dead letter. */
export function isMeant({ row, code }: DeadLetter, filter: DeadLetterFilter): boolean {
  return (
    (filter.modid === undefined || filter.modid === row.modid) &&
    (filter.cmdid === undefined || filter.cmdid === row.cmdid) &&
    (filter.caller === undefined || filter.caller === row.caller) &&
    (filter.code === undefined || filter.code === code)
  );
}

/** Some of the dead letters that a filter means, by primary key. */
export interface DeadLetterPage {
  /** All that the filter means. */
  readonly total: number;
  readonly letters: readonly DeadLetter[];
}

/** What became of the dead letters that were to be replayed or dropped. */
export interface DeadLetterOutcome {
  /** Rows that are in front of the store again. */
  readonly replayed: number;
  /** Removed unsent because a newer value of the key was pending. */
  readonly superseded: number;
  /** Removed because that was asked for. */
  readonly dropped: number;
  /** Left where they are: something newer may be in quarantine, and may have been stored before it came there. */
  readonly kept: number;
}

export const NOTHING_DONE: DeadLetterOutcome = { replayed: 0, superseded: 0, dropped: 0, kept: 0 };

export function addOutcomes(a: DeadLetterOutcome, b: DeadLetterOutcome): DeadLetterOutcome {
  return {
    replayed: a.replayed + b.replayed,
    superseded: a.superseded + b.superseded,
    dropped: a.dropped + b.dropped,
    kept: a.kept + b.kept,
  };
}

/** Dead letters were to be replayed or dropped, and not all of them could be. */
export class DeadLetterError extends Error {
  /** What was done all the same. */
  readonly done: DeadLetterOutcome;

  constructor(message: string, done: DeadLetterOutcome) {
    super(message);
    this.name = 'DeadLetterError';
    this.done = done;
  }
}

/** The dead letters of a reporter, as operators deal with them. */
export interface DeadLetterDesk {
  list(filter: DeadLetterFilter, offset: number, limit: number): Promise<DeadLetterPage>;
  /** Puts rows in front of the store again, or removes them unsent. Rejects with DeadLetterError. */
  settle(action: 'replay' | 'drop', filter: DeadLetterFilter): Promise<DeadLetterOutcome>;
}
