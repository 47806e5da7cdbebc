/** What a peer may do; from the section `listen` of the configuration. */
export interface FrameLimits {
  readonly maxBodyBytes: number;
  /** Undecodable frames in a row after which a connection is closed. */
  readonly maxBadFrames: number;
  /** How long a frame may stay incomplete while its socket is read, milliseconds; 0 = for ever. */
  readonly frameTimeoutMs: number;
}
