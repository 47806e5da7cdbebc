import { messageOf, ReporterError } from '../model/errors.js';
import type { HostResult, Report } from '../model/report.js';
import * as row from '../model/row.js';
import { RowBuffer } from '../model/row-buffer.js';
import type { Traffic } from '../model/traffic.js';
import type { EventSink } from '../observe/events.js';
import type { Counts } from '../partition/counts.js';
import type { Inbox } from '../routing/inbox.js';
import type { Credit } from '../routing/protocol.js';
import { type ActorRef, type ParentRef, spawn, tell } from '../runtime/actors.js';

/** Reports from inside the process. */
export interface InternalReports {
  readonly reports: readonly Report[];
  /** Called when all of them are journaled or refused; send the next ones then, and memory stays bounded. */
  readonly journaled?: () => void;
}

/** What `reporter.ref` takes: a report, or several with a call back. */
export type IngressMessage = Report | InternalReports;

export interface IngressOptions {
  /** The router's. */
  readonly inbox: Inbox;
  readonly traffic: Traffic;
  /** Counts rows that are refused. */
  readonly refused: Counts;
  readonly events: EventSink;
  /** Peer number of rows that came from no socket. */
  readonly peerNumber: number;
}

/** The actor behind `reporter.ref`: what sockets do for agents, for senders in the same process. */
export class Ingress {
  readonly ref: ActorRef<IngressMessage>;
  readonly #options: IngressOptions;
  /** Of the message that is being taken. */
  readonly #rows = new RowBuffer(256);
  /** What rejects the promises of reports that are not journaled yet. */
  readonly #waiting = new Set<(error: Error) => void>();
  #isStopping = false;

  constructor(parent: ParentRef, options: IngressOptions) {
    this.#options = options;
    this.ref = spawn<IngressMessage>(parent, {
      name: 'ingress',
      receive: (message) => this.#receive(message),
      onCrash: (error) => {
        this.#reject(0, error.message);
        return 'resume';
      },
    });
  }

  /**
   * Resolves when all reports are journaled or refused as invalid. Rejects with ReporterError REPORTER_STOPPED when
   * the reporter stops before that.
   */
  report(reports: readonly Report[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopped = () => {
        this.#waiting.delete(reject);
        reject(new ReporterError('REPORTER_STOPPED', STOPPED));
      };
      const journaled = () => {
        this.#waiting.delete(reject);
        resolve();
      };
      if (this.#isStopping) {
        this.#refuseAll(reports);
        stopped();
        return;
      }
      this.#waiting.add(reject);
      if (tell(this.ref, { reports, journaled })) return;
      this.#refuseAll(reports);
      stopped();
    });
  }

  /** Takes no more reports through `report`: each is rejected. */
  stopTaking(): void {
    this.#isStopping = true;
  }

  /** The actors have ended: what is not journaled by now never will be. Rejects all that wait for it. */
  end(): void {
    this.#isStopping = true;
    for (const reject of this.#waiting) reject(new ReporterError('REPORTER_STOPPED', UNSURE));
    this.#waiting.clear();
  }

  #receive(message: IngressMessage): void {
    const settled = receiptOf(message);
    const buffer = this.#rows;
    buffer.release();
    try {
      for (const report of reportsOf(message)) this.#take(buffer, report);
    } catch (error) {
      // Whatever was told to us, there are no reports in it; who waits for a receipt is not left waiting.
      this.#reject(0, messageOf(error));
    }
    if (buffer.length === 0) {
      settled();
      return;
    }
    const credit: Credit = { outstanding: 0, isAwaited: isAwaited(message), settled };
    this.#options.inbox.offer(buffer.rows(), credit);
  }

  /** A report that cannot even be read takes none of those beside it along. */
  #take(buffer: RowBuffer, report: Report): void {
    const { length } = buffer;
    try {
      this.#append(buffer, report);
    } catch (error) {
      buffer.length = length;
      this.#reject(0, messageOf(error));
    }
  }

  #append(buffer: RowBuffer, report: Report): void {
    const why = invalid(report);
    if (why !== undefined) {
      this.#reject(rowsIn(report), why);
      return;
    }
    const tag = this.#options.peerNumber << 1;
    for (const result of report.results) {
      const at = buffer.next();
      const { words } = buffer;
      words[at + row.MODID] = report.modid;
      words[at + row.CMDID] = report.cmdid;
      words[at + row.IP] = result.ip;
      words[at + row.PORT] = result.port;
      words[at + row.CALLER] = report.caller;
      words[at + row.SUCC] = Math.min(result.succ, row.MAX_COUNTER);
      words[at + row.ERR] = Math.min(result.err, row.MAX_COUNTER);
      words[at + row.TS] = report.ts;
      words[at + row.TAG] = tag | (result.overload ? 1 : 0);
      words[at + row.SINCE] = 0;
      const saturated = Number(result.succ > row.MAX_COUNTER) + Number(result.err > row.MAX_COUNTER);
      this.#options.traffic.saturated += saturated;
    }
  }

  #refuseAll(reports: readonly Report[]): void {
    for (const report of reports) this.#reject(rowsIn(report), STOPPED);
  }

  /** A report is refused, and with it `rows` rows. */
  #reject(rows: number, why: string): void {
    this.#options.refused.received += rows;
    this.#options.refused.rejected += rows;
    this.#options.events.emit({ type: 'report-rejected', rows, why });
  }
}

const STOPPED =
  'the reporter stops and did not journal these reports: send them to another one, or after its restart';

/** Some may be on disk, and the word of it came too late. To send them again does no harm: the newest value counts. */
const UNSURE =
  'the reporter stopped before it was known that these reports are on disk: send them again, to another one, or ' +
  'after its restart';

function rowsIn(report: Report): number {
  return Array.isArray(report?.results) ? report.results.length : 0;
}

function reportsOf(message: IngressMessage): readonly Report[] {
  if ('reports' in message) return message.reports;
  return [message];
}

function receiptOf(message: IngressMessage): () => void {
  const receipt: unknown = (message as Partial<InternalReports> | null)?.journaled;
  return typeof receipt === 'function' ? () => receipt() : () => {};
}

/** Who asks to be told when reports are journaled waits for it, as far as we can know. */
function isAwaited(message: IngressMessage): boolean {
  return 'journaled' in message;
}

const MAX_UINT32 = 0xffffffff;
const MIN_INT32 = -0x80000000;

/** What is wrong with a report that no codec has checked; undefined when nothing is. */
function invalid(report: Report): string | undefined {
  if (typeof report !== 'object' || report === null || !Array.isArray(report.results)) {
    return 'not a report: { modid, cmdid, caller, ts, results: [] } is expected';
  }
  const wrong =
    outside(report, 'modid', MIN_INT32, 0x7fffffff) ??
    outside(report, 'cmdid', MIN_INT32, 0x7fffffff) ??
    outside(report, 'caller', MIN_INT32, MAX_UINT32) ??
    outside(report, 'ts', 0, MAX_UINT32);
  if (wrong !== undefined) return wrong;
  for (const result of report.results as readonly HostResult[]) {
    const bad =
      outside(result, 'ip', MIN_INT32, MAX_UINT32) ??
      outside(result, 'port', MIN_INT32, 0x7fffffff) ??
      outside(result, 'succ', 0, MAX_UINT32) ??
      outside(result, 'err', 0, MAX_UINT32);
    if (bad !== undefined) return `results: ${bad}`;
  }
  return undefined;
}

function outside<T extends object>(
  of: T,
  field: keyof T & string,
  from: number,
  to: number,
): string | undefined {
  const value: unknown = of?.[field];
  if (Number.isInteger(value) && (value as number) >= from && (value as number) <= to) return undefined;
  return `${field} is ${String(value)}, expected an integer from ${from} to ${to}`;
}
