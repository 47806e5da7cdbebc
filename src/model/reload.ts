/** A key of the configuration, and how a running reporter comes to its new value. */
export interface KeyChange {
  readonly key: string;
  readonly how: 'in-place' | 'hand-over' | 'restart';
}

/**
 * What became of a reload:
 * - `unchanged`: the configuration is what it was.
 * - `in-place`: the new values hold.
 * - `hand-over`: a new process takes over; it was prepared.
 * - `invalid`: the configuration is unusable, `why` names the key; nothing has changed.
 * - `failed`: nothing has changed, for the reason in `why`.
 */
export interface ReloadOutcome {
  readonly outcome: 'unchanged' | 'in-place' | 'hand-over' | 'invalid' | 'failed';
  readonly changes: readonly KeyChange[];
  readonly why?: string;
}

/** Who reads the configuration of a running reporter again. */
export interface ReloadDesk {
  reload(): Promise<ReloadOutcome>;
  /** What `reload` would do now; changes nothing. */
  preview(): ReloadOutcome;
}
