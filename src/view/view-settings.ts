/** What the view is told: the keys `view.*` of the configuration. Times in seconds. */
export interface ViewSettings {
  /** A row counts so long after it was heard. */
  readonly freshS: number;
  /** A host is held for overloaded so long after its flag was last seen. */
  readonly holdS: number;
  /** Share of failed calls from which on a host or a service is failing. */
  readonly errorShare: number;
  /** Calls that an error share needs. */
  readonly minCalls: number;
  /** Services not heard for so long are left out of the list, unless it is asked for. */
  readonly hideS: number;
  /** Rows not heard for so long are forgotten. */
  readonly forgetS: number;
  /** Beyond so many rows only a share of the callers is looked at. */
  readonly maxRows: number;
}

export const DEFAULT_SETTINGS: ViewSettings = {
  freshS: 60,
  holdS: 60,
  errorShare: 0.1,
  minCalls: 20,
  hideS: 900,
  forgetS: 86_400,
  maxRows: 2_000_000,
};

/** Name of a service; null when it has none. */
export type NameOf = (modid: number, cmdid: number) => string | null;

/** Names from configuration: that of `modid/cmdid` before that of `modid`. */
export function namesFrom(names: Readonly<Record<string, string>>): NameOf {
  const known = new Map(Object.entries(names));
  if (known.size === 0) return () => null;
  return (modid, cmdid) => known.get(`${modid}/${cmdid}`) ?? known.get(`${modid}`) ?? null;
}
