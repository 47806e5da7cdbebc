/** The embedding API. Importing it has no side effect. */
export type { FrameHandler, HandledFrame, Handlers } from './actors/handlers.js';
export type { IngressMessage, InternalReports } from './actors/ingress.js';
export { partitionOf } from './actors/partition.js';
export type { StepHook, WriterStep } from './actors/steps.js';
export type { ActorRef, ParentRef } from './actors/system.js';
export type { Config, ConfigInput } from './config.js';
export type { JournalFaults, StoredBytes } from './journal/faults.js';
export {
  ReporterError,
  type ReporterErrorCode,
  StoreError,
  type StoreErrorClass,
} from './model/errors.js';
export { formatIpv4, parseIpv4 } from './model/ipv4.js';
export type { Logger } from './model/log.js';
export type { HostResult, Report } from './model/report.js';
export { type Row, RowBatch, WORDS_PER_ROW } from './model/row.js';
export type {
  Address,
  Ledger,
  ReporterStatus,
  StoreState,
  WriterState,
  WriterStatus,
} from './model/status.js';
export type { FrameRejection, Traffic } from './model/traffic.js';
export {
  type Reporter,
  type ReporterOptions,
  startReporter,
} from './reporter.js';
export type { RowFilter, Store, StoreLane, StoreReader, StoreWriter } from './store/store.js';
