/** The agent side: connects, reconnects, encodes and sends reports with bounded memory. */
export { AgentConnection, type AgentOptions, connectAgent } from './connection.js';
export { encodeReportFrame } from './encode.js';
