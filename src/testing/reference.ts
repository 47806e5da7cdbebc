import type { Report } from '../model/report.js';
import { MAX_COUNTER, type Row } from '../model/row.js';
import type { FrameRejection } from '../model/traffic.js';
import { HEADER_BYTES, MAX_BODY_BYTES } from '../wire/frame.js';
import { decodeReport, MessageId } from '../wire/messages.js';

/** What the reporter that reads the stream is set to. */
export interface ExpectOptions {
  /** `listen.maxBodyBytes`. Default 65,527. */
  readonly maxBodyBytes?: number;
  /** `listen.maxBadFrames`. Default 10. */
  readonly maxBadFrames?: number;
  /** Message ids that handlers take; none unless given. */
  readonly handled?: readonly number[];
}

/** What a correct reporter makes of a stream that is sent whole and then closed by its sender. */
export interface StreamExpectation {
  /** Whole frames, good or bad, up to where the stream can be followed. */
  readonly frames: number;
  /** Reports among them that decode, with or without results. */
  readonly reports: number;
  readonly emptyReports: number;
  /** Rows of these reports, in order, counters saturated. */
  readonly rows: readonly Row[];
  /** Counters among them that did not fit. */
  readonly saturated: number;
  /** What is counted, by reason. */
  readonly rejected: Readonly<Record<FrameRejection, number>>;
  /** Bytes up to the end of the last whole frame that was followed. */
  readonly followedBytes: number;
  /**
   * - `whole`: the stream ends where a frame ends.
   * - `incomplete`: it ends within a frame.
   * - `length`: a header claims an impossible body; the reporter closes the connection.
   * - `bad-frames`: too many bad frames in a row; the reporter closes the connection.
   */
  readonly ending: 'whole' | 'incomplete' | 'length' | 'bad-frames';
}

/**
 * Says what a correct reporter must do with a stream, whatever it is made of. Written plainly and apart from the
 * service's own decoders: byte by byte by the contract, bodies by the reflected codec.
 *
 *     expectStream(badFrame()).rejected.undecodable // 1
 */
export function expectStream(
  bytes: Uint8Array,
  { maxBodyBytes = MAX_BODY_BYTES, maxBadFrames = 10, handled = [] }: ExpectOptions = {},
): StreamExpectation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rejected = { length: 0, undecodable: 0, 'unknown-id': 0, incomplete: 0, handler: 0 };
  const rows: Row[] = [];
  let frames = 0;
  let reports = 0;
  let emptyReports = 0;
  let saturated = 0;
  let badInRow = 0;
  let at = 0;
  let ending: StreamExpectation['ending'] | undefined;

  while (ending === undefined) {
    if (bytes.length - at < HEADER_BYTES) {
      ending = at === bytes.length ? 'whole' : 'incomplete';
      break;
    }
    const id = view.getInt32(at, true);
    const length = view.getInt32(at + 4, true);
    if (length < 0 || length > maxBodyBytes) {
      ending = 'length';
      break;
    }
    if (bytes.length - at - HEADER_BYTES < length) {
      ending = 'incomplete';
      break;
    }
    const body = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    at += HEADER_BYTES + length;
    frames++;
    if (id !== MessageId.reportStatusRequest) {
      if (!handled.includes(id)) rejected['unknown-id']++;
      continue;
    }
    const report = decoded(body);
    if (!report) {
      rejected.undecodable++;
      badInRow++;
      if (badInRow >= maxBadFrames) ending = 'bad-frames';
      continue;
    }
    badInRow = 0;
    reports++;
    if (report.results.length === 0) emptyReports++;
    for (const { ip, port, succ, err, overload } of report.results) {
      if (succ > MAX_COUNTER) saturated++;
      if (err > MAX_COUNTER) saturated++;
      const { modid, cmdid, caller, ts } = report;
      const [fitSucc, fitErr] = [Math.min(succ, MAX_COUNTER), Math.min(err, MAX_COUNTER)];
      rows.push({ modid, cmdid, ip, port, caller, succ: fitSucc, err: fitErr, ts, overload });
    }
  }
  if (ending === 'incomplete') rejected.incomplete++;
  if (ending === 'length') rejected.length++;
  return { frames, reports, emptyReports, rows, saturated, rejected, followedBytes: at, ending };
}

function decoded(body: Uint8Array): Report | undefined {
  try {
    return decodeReport(body);
  } catch {
    return undefined;
  }
}
