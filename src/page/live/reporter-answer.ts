import type { ReporterStatus } from '../../model/status.js';
import type { LiveViewStatus } from '../../model/view-status.js';

export interface Problem {
  readonly code: string;
  readonly severity: 'critical' | 'warning' | 'notice';
  readonly since: string | null;
  /** English. */
  readonly text: string;
  readonly means?: string;
  /** Where the documentation says what to do. */
  readonly doc?: string;
}

/** GET /api/reporter. Parts are left out while the reporter starts. */
export interface ReporterAnswer extends Partial<Omit<ReporterStatus, 'state' | 'view'>> {
  readonly state: 'ok' | 'unwell' | 'starting' | 'draining';
  readonly problems: readonly Problem[];
  readonly uptimeS?: number;
  readonly agents?: {
    readonly connections: number;
    readonly voices: number | null;
    readonly gone: number | null;
    readonly lostAtStart: number | null;
  };
  readonly rates?: { readonly rowsIn: number; readonly rowsStored: number };
  readonly flush?: {
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly rowsP50: number | null;
  };
  readonly view?: LiveViewStatus | null;
}
