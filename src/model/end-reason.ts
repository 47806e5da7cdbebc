/** Why a reporter has ended. */
export type EndReason =
  /** `stop` was called, or `await using` left its block. */
  | 'stopped'
  /** The `signal` of its options was aborted. */
  | 'aborted'
  /** The actor, or the system, of the host that it lived under has stopped. */
  | 'parent-stopped';
