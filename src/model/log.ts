/** Where a reporter logs. pino satisfies it; embedders may pass anything of this shape. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Lines that nobody took and that were discarded since the start; loggers that do not know leave it out. */
  readonly discardedLines?: () => number;
}
