/** The constants of an agent's load balancing: when it holds a host for overloaded, and when it says so. */
export interface AgentRules {
  /** Seconds from one report on a service to the next, at the least; 0 = a report after every call result. */
  readonly reportEveryS: number;
  /** Seconds after which the window of an idle host begins anew, at its next call result. */
  readonly windowS: number;
  /** Whether the first call result of a new host always ends a window (its `idle_ts` is never set). */
  readonly isFirstCallWindowEnd: boolean;
  /** Successes an idle host is credited with at the start of a window: they count for decisions, not in reports. */
  readonly creditSucc: number;
  /** Errors an overloaded host is debited with, likewise. */
  readonly debitErr: number;
  /** idle → overloaded: err / (credit + succ + err) above this share … */
  readonly errorShare: number;
  /** … or so many errors in a row … */
  readonly errorsInARow: number;
  /** … or, when a window ends, this share of its calls failed … */
  readonly windowErrorShare: number;
  /** … in so many windows in a row. */
  readonly windowsInARow: number;
  /** overloaded → idle: succ / (succ + err + debit) above this share … */
  readonly successShare: number;
  /** … or so many successes in a row … */
  readonly successesInARow: number;
  /** … or so many seconds have passed; seen at the host's next call result. */
  readonly overloadS: number;
  /** Calls to idle hosts, or refused ones where no host is idle, between two probes of an overloaded host. */
  readonly probeNum: number;
}

/** The Lars agent with the configuration it is shipped with. */
export const LARS: AgentRules = {
  reportEveryS: 0,
  windowS: 15,
  isFirstCallWindowEnd: true,
  creditSucc: 180,
  debitErr: 5,
  errorShare: 0.1,
  errorsInARow: 15,
  windowErrorShare: 0.7,
  windowsInARow: 1,
  successShare: 0.5,
  successesInARow: 15,
  overloadS: 15,
  probeNum: 10,
};

/** The Lars agent without a configuration: what its code falls back to. */
export const LARS_DEFAULTS: AgentRules = {
  ...LARS,
  errorsInARow: 10,
  successShare: 0.92,
  successesInARow: 10,
};

/** ELB, which Lars was made from: it reports rarely, and keeps an overloaded host away for minutes. */
export const ELB: AgentRules = {
  ...LARS,
  reportEveryS: 15,
  isFirstCallWindowEnd: false,
  windowsInARow: 2,
  successShare: 0.95,
  overloadS: 180,
};

/** All of them, by the names that command lines use. */
export const RULES = { lars: LARS, 'lars-defaults': LARS_DEFAULTS, elb: ELB } as const;
export type RulesName = keyof typeof RULES;
