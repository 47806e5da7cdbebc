import { NO_SERVICE_NAMES, type ServiceNames } from '../model/service-names.js';

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

/**
 * Names from the configuration: that of `modid/cmdid` before that of `modid`. For others, what is stored of the two
 * numbers: `feed / get`.
 */
export function namesFrom(
  configured: Readonly<Record<string, string>>,
  stored: ServiceNames = NO_SERVICE_NAMES,
): NameOf {
  const known = new Map(Object.entries(configured));
  const { byModid, byCmdid } = stored;
  const nameIn = (modid: number, cmdid: number) => {
    const names = [byModid.get(modid), byCmdid.get(cmdid)].filter((name) => name !== undefined);
    return names.length === 0 ? null : names.join(' / ');
  };
  if (known.size > 0)
    return (modid, cmdid) => known.get(`${modid}/${cmdid}`) ?? known.get(`${modid}`) ?? nameIn(modid, cmdid);
  return byModid.size + byCmdid.size > 0 ? nameIn : () => null;
}
