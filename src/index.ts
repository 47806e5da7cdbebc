/**
 * The embedding API. Importing it has no side effect.
 *
 *     import { startReporter } from 'lars-reporter';
 *
 *     await using reporter = await startReporter({ journal: { dir: '/var/lib/lars/journal' } });
 *
 * @module lars-reporter
 */

export type { Role } from './admin/browser-sessions.js';
export type { ByeEvent, HelloEvent } from './admin/event-streams.js';
export type { HandleOptions } from './admin/hosted.js';
export type { ReporterAnswer } from './admin/reporter-routes.js';
export type { SessionAnswer } from './admin/session-routes.js';
export type { StoredRow, StoredRowsAnswer } from './admin/stored-rows.js';

export type { Config, ConfigInput } from './config/index.js';
export type { FrameHandler, HandledFrame, Handlers } from './intake/handlers.js';
export type { IngressMessage, InternalReports } from './intake/ingress.js';
export type { JournalFaults, StoredBytes } from './journal/faults.js';
export type { DeadLetterFilter, DeadLetterOutcome } from './model/dead-letter.js';
export type { EndReason } from './model/end-reason.js';
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
export type { ServiceNames } from './model/service-names.js';
export type {
  Address,
  Ledger,
  ReporterStatus,
  StoreState,
  TlsStatus,
  WriterState,
  WriterStatus,
} from './model/status.js';
export type {
  AddressPause,
  ConnectionDenial,
  FrameRejection,
  HandshakeFailure,
  Traffic,
} from './model/traffic.js';
export type { HistoryStatus, LiveViewStatus, ViewCounts } from './model/view-status.js';
export type { DrainOutcome } from './node/drain.js';
export type { ReporterOptions } from './node/options.js';
export type { EventMap, EventType, ReporterEvent } from './observe/events.js';
export type { ProblemCode, Severity } from './observe/problems.js';
export type { Health, Problem } from './observe/vitals.js';
export { partitionOf } from './partition/hash.js';
export { type Reporter, startReporter } from './reporter.js';
export type { ActorRef, NactRef, ParentRef } from './runtime/actors.js';
export type {
  ForgetOrder,
  Forgotten,
  RowFilter,
  RowPlace,
  Store,
  StoreLane,
  StoreReader,
  StoreWriter,
} from './store/contract.js';
export type { ServiceEvent, ServiceName, ServicesEvent } from './view/event-shapes.js';
export type { HistoryAnswer, HistoryStep } from './view/history-shapes.js';
export type {
  CallerAnswer,
  CallerRow,
  CallersAnswer,
  Calls,
  Change,
  ChangeKind,
  ChangesAnswer,
  Freshness,
  Head,
  Host,
  HostAddress,
  HostAnswer,
  HostName,
  HostRow,
  HostState,
  HostsAnswer,
  Incident,
  IncidentKind,
  IncidentsAnswer,
  Level,
  LevelCounts,
  Matrix,
  RawRow,
  Reason,
  ReasonCode,
  ServiceAnswer,
  ServiceHost,
  ServicesAnswer,
  SparkMinute,
  Summary,
  Time,
  Verdict,
  Voice,
  VoiceState,
  WindowS,
} from './view/shapes.js';
export type { StepHook, WriterStep } from './writer/steps.js';
