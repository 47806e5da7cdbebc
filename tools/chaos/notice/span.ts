import type { Fleet } from '../../../src/testing/index.js';
import type { Admin } from '../admin.js';
import type { Service } from '../service.js';

/** What a process logs when another one has all it read. */
const HANDED_OVER = 'handed over; everything read is journaled';

/** A stretch of time without a kill: processes come and go, and each row that is sent is received by one of them. */
export class Span {
  readonly #service: Service;
  readonly #admin: Admin;
  readonly #fleet: Fleet;
  readonly #from: number;
  readonly #sent: number;
  readonly #received: number;

  private constructor(service: Service, admin: Admin, fleet: Fleet, received: number) {
    this.#service = service;
    this.#admin = admin;
    this.#fleet = fleet;
    this.#from = service.log.length;
    this.#sent = fleet.rowsSent;
    this.#received = received;
  }

  /** Agents rest, and everything that they have sent is stored. */
  static async begin(service: Service, admin: Admin, fleet: Fleet): Promise<Span> {
    const { received } = await admin.ledger();
    return new Span(service, admin, fleet, received);
  }

  /** Rows since then. Agents rest, and everything is stored. */
  async count(): Promise<{ readonly sent: number; readonly received: number }> {
    const { received } = await this.#admin.ledger();
    const before = receivedBefore(this.#service.log.slice(this.#from));
    return { sent: this.#fleet.rowsSent - this.#sent, received: before + received - this.#received };
  }
}

/** Rows that processes had received which have handed over, by what they log. */
export function receivedBefore(log: string): number {
  let rows = 0;
  for (const line of log.split('\n')) {
    if (!line.includes(HANDED_OVER)) continue;
    const { received } = JSON.parse(line) as { readonly received: number };
    rows += received;
  }
  return rows;
}
