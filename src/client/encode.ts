import type { Report } from '../model/report.js';
import { encodeFrame, FrameError, HEADER_BYTES, MAX_BODY_BYTES } from '../wire/frame.js';
import { encodeReport, MessageId } from '../wire/messages.js';

/**
 * A report as it goes over the wire: header and body.
 *
 * Throws FrameError when it has more results than a frame holds (65,527 bytes: some 1,700 hosts at the least);
 * send several reports of the same service then.
 */
export function encodeReportFrame(report: Report): Buffer {
  return encodeFrame(MessageId.reportStatusRequest, encodeReport(report));
}

/**
 * As `encodeReportFrame`, for any number of hosts: as many frames as they need, one behind the other. In memory of
 * their own, as it may be kept for long.
 */
export function encodeReportFrames(report: Report): Uint8Array {
  const frames = framesOf(report);
  const bytes = Buffer.allocUnsafeSlow(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) at += frame.copy(bytes, at);
  return bytes;
}

function framesOf(report: Report): Buffer[] {
  try {
    return [encodeReportFrame(report)];
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    const { results } = report;
    const middle = Math.ceil(results.length / 2);
    return [results.slice(0, middle), results.slice(middle)].flatMap((half) =>
      framesOf({ ...report, results: half }),
    );
  }
}

/** What stays the same in all reports on a service: all but caller, time and counters. */
export interface ReportTemplateOptions {
  /** Service, first half; int32. */
  readonly modid: number;
  /** Service, second half; int32. */
  readonly cmdid: number;
  /** Every host of the service, in the order of their counters. ip as int32 or the same bits unsigned; port int32. */
  readonly hosts: readonly { readonly ip: number; readonly port: number }[];
}

/** Words of one host's counters: succ, err, overload (0 = false, all else = true). */
export const COUNTER_WORDS = 3;

// Tags as they stand on the wire: field number << 3 | wire type (0 varint, 2 length-delimited); proto/lars.proto.
const MODID_TAG = 0x08;
const CMDID_TAG = 0x10;
const CALLER_TAG = 0x18;
const RESULT_TAG = 0x22;
const TS_TAG = 0x28;
const IP_TAG = 0x08;
const PORT_TAG = 0x10;
const SUCC_TAG = 0x18;
const ERR_TAG = 0x20;
const OVERLOAD_TAG = 0x28;

/** Tag and longest varint of a caller (int32: ten bytes when negative) and of a ts. */
const MAX_CALLER_BYTES = 11;
const MAX_TS_BYTES = 6;
/** Tags and longest varints of succ and err, and the overload flag. */
const MAX_COUNTERS_BYTES = 6 + 6 + 2;
/** A result's tag, and its length: below 128, for a result has 36 bytes at most. */
const RESULT_HEAD_BYTES = 2;

/**
 * Encodes reports on one service again and again, with new counters and without an object a host: some 30 million
 * hosts a second. Its frames are those of `encodeReportFrame`, byte for byte.
 *
 *     const template = new ReportTemplate({ modid: 1, cmdid: 2, hosts: [{ ip, port: 8080 }] });
 *     const counters = Uint32Array.of(98, 2, 0); // succ, err, overload of the first host
 *     await connection.sendBytes(template.frame(caller, Math.floor(Date.now() / 1000), counters));
 */
export class ReportTemplate {
  /** Number of hosts, and of COUNTER_WORDS groups in `counters`. */
  readonly hosts: number;
  /** Room that any frame of this template fits in. */
  readonly maxFrameBytes: number;
  /** Fields modid and cmdid. */
  readonly #service: Uint8Array;
  /** Fields ip and port of all hosts, one after the other. */
  readonly #addresses: Uint8Array;
  /** Where each host's address ends; it begins where the one before ends. */
  readonly #addressEnds: Uint32Array;

  constructor({ modid, cmdid, hosts }: ReportTemplateOptions) {
    this.hosts = hosts.length;
    this.#service = Uint8Array.from([...int32Field(MODID_TAG, modid), ...int32Field(CMDID_TAG, cmdid)]);
    const addresses: number[] = [];
    this.#addressEnds = Uint32Array.from(hosts, ({ ip, port }) => {
      for (const byte of int32Field(IP_TAG, ip)) addresses.push(byte);
      for (const byte of int32Field(PORT_TAG, port)) addresses.push(byte);
      return addresses.length;
    });
    this.#addresses = Uint8Array.from(addresses);
    this.maxFrameBytes =
      HEADER_BYTES +
      this.#service.length +
      MAX_CALLER_BYTES +
      MAX_TS_BYTES +
      addresses.length +
      hosts.length * (RESULT_HEAD_BYTES + MAX_COUNTERS_BYTES);
  }

  /**
   * A frame in memory of its own. `caller`: IPv4 in host order, signed or unsigned; `ts`: whole seconds, uint32;
   * `counters`: COUNTER_WORDS for each host. Throws as `write` does.
   */
  frame(caller: number, ts: number, counters: Uint32Array): Uint8Array {
    const target = new Uint8Array(this.maxFrameBytes);
    return target.subarray(0, this.write(target, 0, caller, ts, counters));
  }

  /**
   * Writes a frame into `target` from `at` on and returns where it ends. The counters are read from index `from`
   * on, so that those of many services may share an array.
   *
   * Throws RangeError when `target` has no room for `maxFrameBytes` there or counters are missing, and FrameError
   * when the hosts do not fit a frame (see `encodeReportFrame`).
   */
  write(target: Uint8Array, at: number, caller: number, ts: number, counters: Uint32Array, from = 0): number {
    const { hosts, maxFrameBytes } = this;
    // Typed arrays would drop what lies outside, silently.
    if (!(at >= 0 && at + maxFrameBytes <= target.length)) {
      throw new RangeError(`a frame needs ${maxFrameBytes} bytes at ${at} of a target of ${target.length}`);
    }
    if (!(from >= 0 && from + hosts * COUNTER_WORDS <= counters.length)) {
      throw new RangeError(
        `${hosts} hosts need ${hosts * COUNTER_WORDS} counters at ${from}, there are ${counters.length}`,
      );
    }
    const body = at + HEADER_BYTES;
    target.set(this.#service, body);
    let to = body + this.#service.length;
    if ((caller | 0) !== 0) {
      target[to++] = CALLER_TAG;
      to = writeInt32(target, to, caller | 0);
    }
    const addresses = this.#addresses;
    const ends = this.#addressEnds;
    let address = 0;
    for (let host = 0, counter = from; host < hosts; host++, counter += COUNTER_WORDS) {
      target[to] = RESULT_TAG;
      const start = to + RESULT_HEAD_BYTES;
      to = start;
      for (const end = ends[host]!; address < end; address++) target[to++] = addresses[address]!;
      const succ = counters[counter]!;
      if (succ !== 0) {
        target[to++] = SUCC_TAG;
        to = writeUint32(target, to, succ);
      }
      const err = counters[counter + 1]!;
      if (err !== 0) {
        target[to++] = ERR_TAG;
        to = writeUint32(target, to, err);
      }
      if (counters[counter + 2] !== 0) {
        target[to++] = OVERLOAD_TAG;
        target[to++] = 1;
      }
      target[start - 1] = to - start;
    }
    if (ts >>> 0 !== 0) {
      target[to++] = TS_TAG;
      to = writeUint32(target, to, ts >>> 0);
    }
    const bodyBytes = to - body;
    if (bodyBytes > MAX_BODY_BYTES) throw new FrameError(bodyBytes, MAX_BODY_BYTES);
    writeWord(target, at, MessageId.reportStatusRequest);
    writeWord(target, at + 4, bodyBytes);
    return to;
  }
}

/** An int32 field; nothing when it is 0, as proto3 leaves defaults out. */
function int32Field(tag: number, value: number): Uint8Array {
  const field = new Uint8Array(MAX_CALLER_BYTES);
  if ((value | 0) === 0) return field.subarray(0, 0);
  field[0] = tag;
  return field.subarray(0, writeInt32(field, 1, value | 0));
}

/** A varint; negative numbers are sign-extended to 64 bits and take ten bytes. */
function writeInt32(target: Uint8Array, at: number, value: number): number {
  if (value >= 0) return writeUint32(target, at, value);
  for (let byte = 0; byte < 4; byte++) target[at++] = ((value >>> (7 * byte)) & 127) | 128;
  target[at++] = ((value >>> 28) & 127) | 0xf0;
  for (let byte = 0; byte < 4; byte++) target[at++] = 0xff;
  target[at++] = 1;
  return at;
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  while (value > 127) {
    target[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  target[at++] = value;
  return at;
}

/** An int32, little-endian. */
function writeWord(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}
