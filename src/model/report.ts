/** How calls to one host went in the agent's current window (message `HostCallResult`). */
export interface HostResult {
  /** IPv4 in host order, as int32 or as the same 32 bits unsigned. */
  readonly ip: number;
  /** Port, int32. */
  readonly port: number;
  /** Successful calls, uint32. */
  readonly succ: number;
  /** Failed calls, uint32. */
  readonly err: number;
  readonly overload: boolean;
}

/** What an agent reports of one service (message `ReportStatusRequest`). */
export interface Report {
  readonly modid: number;
  readonly cmdid: number;
  /** The reporting machine, IPv4 in host order, as int32 or as the same 32 bits unsigned. */
  readonly caller: number;
  /** The agent's clock, whole seconds, uint32. */
  readonly ts: number;
  /** One entry a host; empty is allowed and stores nothing. */
  readonly results: readonly HostResult[];
}
