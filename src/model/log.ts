/** Where a reporter logs. pino satisfies it; embedders may pass anything of this shape. */
export interface Logger {
  /** What happens often. */
  debug(fields: object, message: string): void;
  /** What people should know. */
  info(fields: object, message: string): void;
  /** What somebody should look at. */
  warn(fields: object, message: string): void;
  /** What does not work. */
  error(fields: object, message: string): void;
  /** Lines that nobody took and that were discarded since the start; loggers that do not know leave it out. */
  readonly discardedLines?: () => number;
}
