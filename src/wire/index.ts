/**
 * The protocol of Lars: frames, and the messages in them. For handlers of the host, and for clients.
 *
 *     import { decodeRouteRequest, encodeRouteResponse, MessageId } from 'lars-reporter/wire';
 *
 *     const handlers = {
 *       [MessageId.getRouteRequest]: ({ body, reply }: HandledFrame) => {
 *         const { modid, cmdid } = decodeRouteRequest(body);
 *         reply(MessageId.getRouteResponse, encodeRouteResponse({ modid, cmdid, host: hostsOf(modid, cmdid) }));
 *       },
 *     };
 *
 * @module lars-reporter/wire
 */

export type { HostResult, Report } from '../model/report.js';
export {
  encodeFrame,
  FrameDecoder,
  FrameError,
  type FrameSink,
  HEADER_BYTES,
  MAX_BODY_BYTES,
} from './frame.js';
export {
  decodeReport,
  decodeRouteRequest,
  decodeRouteResponse,
  encodeReport,
  encodeRouteRequest,
  encodeRouteResponse,
  MessageId,
  type RouteRequest,
  type RouteResponse,
} from './messages.js';
