/**
 * How much a finding matters. `critical`: it does not work like this, or data may be lost. `warning`: somebody has to
 * act. `notice`: worth knowing. `ok`: looked at, and as it should be.
 */
export type FindingSeverity = 'ok' | 'notice' | 'warning' | 'critical';

/** What a look at something came upon. */
export interface Finding {
  /** Stable, for scripts. */
  readonly code: string;
  readonly severity: FindingSeverity;
  /** What was found, with numbers. */
  readonly text: string;
  /** What to do; there is one unless it is `ok`. */
  readonly advice?: string;
}

export const ok = (code: string, text: string): Finding => ({ code, severity: 'ok', text });
export const notice = (code: string, text: string, advice: string): Finding => ({
  ...{ code, severity: 'notice', text, advice },
});
export const warning = (code: string, text: string, advice: string): Finding => ({
  ...{ code, severity: 'warning', text, advice },
});
export const critical = (code: string, text: string, advice: string): Finding => ({
  ...{ code, severity: 'critical', text, advice },
});
