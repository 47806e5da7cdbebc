/** What services are called by those who run them, beside their numbers. */
export interface ServiceNames {
  /** Of all services with a `modid`. */
  readonly byModid: ReadonlyMap<number, string>;
  /** Of a `cmdid`, whatever the `modid`. */
  readonly byCmdid: ReadonlyMap<number, string>;
}

export const NO_SERVICE_NAMES: ServiceNames = { byModid: new Map(), byCmdid: new Map() };
