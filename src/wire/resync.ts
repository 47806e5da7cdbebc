import { HEADER_BYTES, MAX_BODY_BYTES } from './frame.js';
import { isStrictReport } from './strict-report.js';

const REPORT_ID = 3;
/** Ids that frames of any kind have; a header of anything else is none. */
const MAX_ID = 0xffff;

/** What was found of the next frame in a stream that is read on somewhere in its middle. */
export type Found =
  /** A frame begins at this byte; what lies before belongs to one whose beginning is lost. */
  | { readonly kind: 'frame'; readonly at: number }
  /** There is none up to here. What lies before `keep` can belong to none. */
  | { readonly kind: 'more'; readonly keep: number };

/**
 * Finds the first frame in `bytes[from … )`: a header with the id of reports and a length that is allowed, whose body is
 * there as a whole and is, to the last bit, what an agent writes, followed by another header or the end of `bytes`. A
 * frame without a body is none: eight bytes that say nothing are found by chance.
 */
export function findFrame(bytes: Buffer, maxBodyBytes = MAX_BODY_BYTES, from = 0): Found {
  let keep: number | undefined;
  for (let at = from; at < bytes.length; at++) {
    const verdict = look(bytes, at, maxBodyBytes);
    if (verdict === 'frame') return { kind: 'frame', at };
    if (verdict === 'more') keep ??= at;
  }
  return { kind: 'more', keep: keep ?? bytes.length };
}

function look(bytes: Buffer, at: number, maxBodyBytes: number): 'frame' | 'more' | 'none' {
  const left = bytes.length - at;
  if (left < HEADER_BYTES) return isBeginning(bytes, at, REPORT_ID) ? 'more' : 'none';
  if (bytes.readInt32LE(at) !== REPORT_ID) return 'none';
  const length = bytes.readInt32LE(at + 4);
  if (length <= 0 || length > maxBodyBytes) return 'none';
  const end = at + HEADER_BYTES + length;
  if (end > bytes.length) return 'more';
  if (!isStrictReport(bytes, at + HEADER_BYTES, end)) return 'none';
  return isNextHeader(bytes, end, maxBodyBytes) ? 'frame' : 'none';
}

/**
 * Whether `bytes` begin with a report that is there as a whole, by its header and by the one behind it: 64 bits that
 * are not met by chance.
 */
export function isHeader(bytes: Buffer, maxBodyBytes: number): boolean {
  if (bytes.length < HEADER_BYTES || bytes.readInt32LE(0) !== REPORT_ID) return false;
  const length = bytes.readInt32LE(4);
  if (length < 0 || length > maxBodyBytes) return false;
  const end = HEADER_BYTES + length;
  return end <= bytes.length && isNextHeader(bytes, end, maxBodyBytes);
}

/** Whether what is there of a header agrees with the id. */
function isBeginning(bytes: Buffer, at: number, id: number): boolean {
  for (let byte = 0; byte < 4 && at + byte < bytes.length; byte++)
    if (bytes[at + byte] !== ((id >>> (8 * byte)) & 0xff)) return false;
  return true;
}

/** Whether a frame may begin here; what has not come yet may be anything. */
function isNextHeader(bytes: Buffer, at: number, maxBodyBytes: number): boolean {
  if (bytes.length - at < 4) return true;
  const id = bytes.readInt32LE(at);
  if (id < 0 || id > MAX_ID) return false;
  if (bytes.length - at < HEADER_BYTES) return true;
  const length = bytes.readInt32LE(at + 4);
  return length >= 0 && length <= maxBodyBytes;
}
