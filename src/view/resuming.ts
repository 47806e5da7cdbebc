import type { IncidentRecord } from './incidents.js';
import type { IncidentKind } from './shapes.js';

type Place = Pick<IncidentRecord, 'modid' | 'cmdid' | 'ip' | 'port'>;

/** Incidents that ran when the process before ended: they go on when they are seen again in time. */
export class Resuming {
  readonly #held = new Map<string, { readonly incident: IncidentRecord; readonly until: number }>();

  /** Waits for an incident up to a second. */
  hold(incident: IncidentRecord, until: number): void {
    this.#held.set(nameOf(incident.kind, incident), { incident, until });
  }

  /** Whether it is waited for. */
  has(incident: IncidentRecord): boolean {
    return this.#held.get(nameOf(incident.kind, incident))?.incident === incident;
  }

  /** The one of a place, which goes on; undefined when there is none. */
  take(kind: IncidentKind, place: Place): IncidentRecord | undefined {
    if (this.#held.size === 0) return undefined;
    const name = nameOf(kind, place);
    const incident = this.#held.get(name)?.incident;
    this.#held.delete(name);
    return incident;
  }

  /** Those that were not seen again in time. */
  expired(now: number): IncidentRecord[] {
    const expired: IncidentRecord[] = [];
    for (const [name, { incident, until }] of this.#held) {
      if (now < until) continue;
      this.#held.delete(name);
      expired.push(incident);
    }
    return expired;
  }
}

function nameOf(kind: IncidentKind, { modid, cmdid, ip, port }: Place): string {
  return `${kind} ${modid}/${cmdid} ${ip}:${port}`;
}
