/**
 * The agent side of Lars: connects to a reporter, reconnects, encodes and sends reports with bounded memory.
 *
 *     import { parseIpv4, startAgent } from 'lars-reporter/client';
 *
 *     const agent = startAgent({ host: '127.0.0.1', port: 7779 });
 *     agent.report({
 *       modid: 1,
 *       cmdid: 2,
 *       caller: parseIpv4('10.0.0.9')!,
 *       ts: Math.floor(Date.now() / 1000),
 *       // Every host of the service, at each change, with the counters of the current window.
 *       results: [{ ip: parseIpv4('10.0.0.1')!, port: 8080, succ: 98, err: 2, overload: false }],
 *     });
 *     await agent.close(); // the reporter has read it all
 *
 * With `tls: { ca: readFileSync('ca.pem') }` both speak TLS, to `listen.tls.port`; `cert` and `key` are shown to the
 * reporter.
 *
 * `connectAgent` is one connection, and slows its caller down instead of replacing reports. Whoever sends the same
 * hosts many thousand times a second encodes with a `ReportTemplate`, several reports into one piece of memory, and
 * passes that to its `sendBytes`.
 *
 * @module lars-reporter/client
 */

export type { BackoffLimits } from '../model/backoff.js';
export { ReporterError, type ReporterErrorCode } from '../model/errors.js';
export { formatIpv4, parseIpv4 } from '../model/ipv4.js';
export type { HostResult, Report } from '../model/report.js';
export { FrameError } from '../wire/frame.js';
export type { AgentTls } from './agent-tls.js';
export { AgentConnection, type AgentOptions, connectAgent } from './connection.js';
export { COUNTER_WORDS, encodeReportFrame, ReportTemplate, type ReportTemplateOptions } from './encode.js';
export type { OutboxCounts, ServiceKey } from './outbox.js';
export {
  type AgentCounts,
  type AgentEvent,
  ReportingAgent,
  type ReportingAgentOptions,
  startAgent,
} from './reporting-agent.js';
