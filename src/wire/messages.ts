import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Report } from '../model/report.js';
import * as row from '../model/row.js';
import type { RowBuffer } from '../model/row-buffer.js';

/** Message ids of the frame header: what a body holds. */
export const MessageId = {
  unknown: 0,
  getRouteRequest: 1,
  getRouteResponse: 2,
  reportStatusRequest: 3,
} as const;

// The codec is reflected from the schema when the module loads: what pbjs generates was measured slightly slower
// (10.4 against 11.0 million rows a second). Where speed counts, ReportDecoder takes its place.
const schema = protobuf.parse(
  readFileSync(new URL('../../../proto/lars.proto', import.meta.url), 'utf8'),
).root;
const reportType = schema.lookupType('lars.ReportStatusRequest');
const routeRequestType = schema.lookupType('lars.GetRouteRequest');
const routeResponseType = schema.lookupType('lars.GetRouteResponse');

/** Asks which hosts serve a service (message `GetRouteRequest`). */
export interface RouteRequest {
  readonly modid: number;
  readonly cmdid: number;
}

/** The hosts of a service (message `GetRouteResponse`). */
export interface RouteResponse extends RouteRequest {
  readonly host: readonly { readonly ip: number; readonly port: number }[];
}

/** The body of a report. 32-bit fields may be given signed or unsigned; the wire carries the same bits. */
export function encodeReport(report: Report): Uint8Array {
  return reportType
    .encode({
      modid: report.modid | 0,
      cmdid: report.cmdid | 0,
      caller: report.caller | 0,
      ts: report.ts >>> 0,
      results: report.results.map((result) => ({
        ip: result.ip | 0,
        port: result.port | 0,
        succ: result.succ >>> 0,
        err: result.err >>> 0,
        overload: result.overload,
      })),
    })
    .finish();
}

/** Body → report, as objects. Throws when the body is not the message. For tools; the service decodes rows. */
export function decodeReport(body: Uint8Array): Report {
  return decodeWith<Report>(reportType, body);
}

/** The body of a request for the hosts of a service. */
export function encodeRouteRequest(request: RouteRequest): Uint8Array {
  return routeRequestType.encode({ modid: request.modid | 0, cmdid: request.cmdid | 0 }).finish();
}

/** What a client asks for. Throws when the body is not the message. */
export function decodeRouteRequest(body: Uint8Array): RouteRequest {
  return decodeWith<RouteRequest>(routeRequestType, body);
}

/** The body of an answer; without hosts when the service is not known. */
export function encodeRouteResponse(response: RouteResponse): Uint8Array {
  return routeResponseType
    .encode({
      modid: response.modid | 0,
      cmdid: response.cmdid | 0,
      host: response.host.map((host) => ({ ip: host.ip | 0, port: host.port | 0 })),
    })
    .finish();
}

/** The answer, for a client. Throws when the body is not the message. */
export function decodeRouteResponse(body: Uint8Array): RouteResponse {
  return decodeWith<RouteResponse>(routeResponseType, body);
}

function decodeWith<T>(type: protobuf.Type, body: Uint8Array): T {
  // The caller names the interface that mirrors the message type; toObject with defaults yields just that shape.
  return type.toObject(type.decode(body), { defaults: true, arrays: true }) as T;
}

// Tags as they stand on the wire: field number << 3 | wire type (0 varint, 2 length-delimited).
const MODID_TAG = (1 << 3) | 0;
const CMDID_TAG = (2 << 3) | 0;
const CALLER_TAG = (3 << 3) | 0;
const RESULT_TAG = (4 << 3) | 2;
const TS_TAG = (5 << 3) | 0;
const IP_TAG = (1 << 3) | 0;
const PORT_TAG = (2 << 3) | 0;
const SUCC_TAG = (3 << 3) | 0;
const ERR_TAG = (4 << 3) | 0;
const OVERLOAD_TAG = (5 << 3) | 0;

const NO_BYTES = new Uint8Array(0);

/**
 * Reads reports straight into packed rows with protobufjs's reader, without an object a row: 14 million rows a
 * second where the reflected codec, which the tests hold it against, brings 8 million there
 * (tools/bench/codec-speed.ts).
 */
export class ReportDecoder {
  readonly #reader = protobuf.Reader.create(NO_BYTES);
  /** Counters that did not fit the table and were stored as MAX_COUNTER, since the decoder was made. */
  saturated = 0;

  /**
   * Appends a row for each result of the report in `bytes[start … end)` and returns how many. Throws, and appends
   * none, when these bytes are not the message. Zero bytes are a report with all fields at their defaults.
   *
   * `tag` is or-ed into the TAG word of each row: the sender's peer number, shifted left by one.
   */
  decode(bytes: Uint8Array, start: number, end: number, into: RowBuffer, tag: number): number {
    const reader = this.#reader;
    const first = into.length;
    const saturatedBefore = this.saturated;
    reader.buf = bytes;
    reader.pos = start;
    reader.len = end;
    let modid = 0;
    let cmdid = 0;
    let caller = 0;
    let ts = 0;
    try {
      while (reader.pos < end) {
        const fieldTag = reader.tag();
        switch (fieldTag) {
          case RESULT_TAG:
            this.#decodeResult(into, end, tag);
            break;
          case MODID_TAG:
            modid = reader.int32();
            break;
          case CMDID_TAG:
            cmdid = reader.int32();
            break;
          case CALLER_TAG:
            caller = reader.int32();
            break;
          case TS_TAG:
            ts = reader.uint32();
            break;
          default:
            reader.skipType(fieldTag & 7, 0, fieldTag >>> 3);
        }
      }
      // The reader sees the whole chunk, so a field that runs over the frame shows only here.
      if (reader.pos !== end) throw new RangeError('a field runs over the end of its report');
    } catch (error) {
      into.length = first;
      this.saturated = saturatedBefore;
      throw error;
    } finally {
      reader.buf = NO_BYTES;
    }
    const words = into.words;
    for (let index = first; index < into.length; index++) {
      const at = index * row.WORDS_PER_ROW;
      words[at + row.MODID] = modid;
      words[at + row.CMDID] = cmdid;
      words[at + row.CALLER] = caller;
      words[at + row.TS] = ts;
    }
    return into.length - first;
  }

  #decodeResult(into: RowBuffer, reportEnd: number, tag: number): void {
    const reader = this.#reader;
    const end = reader.size() + reader.pos;
    if (end > reportEnd) throw new RangeError('a result runs over the end of its report');
    let ip = 0;
    let port = 0;
    let succ = 0;
    let err = 0;
    let overload = 0;
    while (reader.pos < end) {
      const fieldTag = reader.tag();
      switch (fieldTag) {
        case IP_TAG:
          ip = reader.int32();
          break;
        case PORT_TAG:
          port = reader.int32();
          break;
        case SUCC_TAG:
          succ = reader.uint32();
          break;
        case ERR_TAG:
          err = reader.uint32();
          break;
        case OVERLOAD_TAG:
          overload = reader.bool() ? 1 : 0;
          break;
        default:
          reader.skipType(fieldTag & 7, 1, fieldTag >>> 3);
      }
    }
    if (reader.pos !== end) throw new RangeError('a field runs over the end of its result');
    const at = into.next();
    const words = into.words;
    words[at + row.IP] = ip;
    words[at + row.PORT] = port;
    words[at + row.SUCC] = this.#saturate(succ);
    words[at + row.ERR] = this.#saturate(err);
    words[at + row.TAG] = tag | overload;
    words[at + row.SINCE] = 0;
  }

  #saturate(counter: number): number {
    if (counter <= row.MAX_COUNTER) return counter;
    this.saturated++;
    return row.MAX_COUNTER;
  }
}
