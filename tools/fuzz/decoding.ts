import { RowBatch, WORDS_PER_ROW } from '../../src/model/row.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { splitAt } from '../../src/testing/frames.js';
import { expectStream, type StreamExpectation } from '../../src/testing/reference.js';
import { FrameDecoder, FrameError } from '../../src/wire/frame.js';
import { MessageId, ReportDecoder } from '../../src/wire/messages.js';

/** The limit of bad frames in a row is the connection's affair: decoders go on. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

const reports = new ReportDecoder();
const rows = new RowBuffer(4096);

/** What the decoders made of a stream. */
interface Decoded {
  frames: number;
  reports: number;
  emptyReports: number;
  undecodable: number;
  followedBytes: number;
  /** Claimed length of the header at which the stream ended. */
  claimedBytes: number | undefined;
}

/**
 * Decodes a stream that arrives cut at `cuts`, as a connection does, and holds what comes out against the reference.
 * Returns the first difference, undefined when there is none.
 */
export function decodingDifference(bytes: Uint8Array, cuts: readonly number[]): string | undefined {
  const expected = expectStream(bytes, { maxBadFrames: NO_LIMIT });
  const frames = new FrameDecoder();
  const seen: Decoded = {
    frames: 0,
    reports: 0,
    emptyReports: 0,
    undecodable: 0,
    followedBytes: 0,
    claimedBytes: undefined,
  };
  const saturatedBefore = reports.saturated;
  rows.length = 0;
  let strange: string | undefined;
  let arrived = 0;

  const onFrame = (id: number, chunk: Uint8Array, start: number, end: number): void => {
    seen.frames++;
    seen.followedBytes += 8 + end - start;
    if (id !== MessageId.reportStatusRequest) return;
    const before = rows.length;
    try {
      const count = reports.decode(chunk, start, end, rows, 0);
      seen.reports++;
      if (count === 0) seen.emptyReports++;
      if (rows.length - before !== count)
        strange ??= `${count} rows were counted, ${rows.length - before} came`;
    } catch (error) {
      seen.undecodable++;
      if (rows.length !== before) strange ??= 'an undecodable frame left rows behind';
      if (!isRefusal(error)) strange ??= `decode threw ${String(error)}`;
    }
  };

  for (const piece of splitAt(bytes, cuts)) {
    // In memory of its own that is overwritten afterwards, as that of a socket may be.
    const chunk = Uint8Array.from(piece);
    arrived += chunk.length;
    try {
      frames.push(chunk, onFrame);
    } catch (error) {
      if (!(error instanceof FrameError)) return `push threw ${String(error)}`;
      seen.claimedBytes = error.claimedBytes;
      break;
    } finally {
      chunk.fill(0xee);
    }
    const unfinished = arrived - seen.followedBytes;
    if (frames.incompleteBytes !== unfinished)
      return `${frames.incompleteBytes} bytes are kept of ${unfinished} that wait for the rest of their frame`;
  }
  return strange ?? difference(seen, expected, bytes, reports.saturated - saturatedBefore);
}

/** What a decoder may throw for bytes that are no report. Anything else, such as a TypeError, is a bug. */
function isRefusal(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.constructor === Error);
}

function difference(
  seen: Decoded,
  expected: StreamExpectation,
  bytes: Uint8Array,
  saturated: number,
): string | undefined {
  const wanted: Decoded = {
    frames: expected.frames,
    reports: expected.reports,
    emptyReports: expected.emptyReports,
    undecodable: expected.rejected.undecodable,
    followedBytes: expected.followedBytes,
    claimedBytes:
      expected.ending === 'length' ? Buffer.from(bytes).readInt32LE(expected.followedBytes + 4) : undefined,
  };
  for (const key of Object.keys(wanted) as (keyof Decoded)[])
    if (seen[key] !== wanted[key]) return `${key}: ${seen[key]}, expected ${wanted[key]}`;
  if (saturated !== expected.saturated) return `saturated: ${saturated}, expected ${expected.saturated}`;
  return rowDifference(expected);
}

function rowDifference(expected: StreamExpectation): string | undefined {
  if (rows.length !== expected.rows.length) return `${rows.length} rows, expected ${expected.rows.length}`;
  const wanted = RowBatch.from(expected.rows).words;
  const { words } = rows;
  for (let word = 0; word < wanted.length; word++) {
    if (words[word] === wanted[word]) continue;
    const at = `word ${word % WORDS_PER_ROW} of row ${Math.floor(word / WORDS_PER_ROW)}`;
    return `${at} is ${words[word]}, expected ${wanted[word]}`;
  }
  return undefined;
}
