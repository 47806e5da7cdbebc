import type { Report } from '../model/report.js';
import { encodeFrame } from '../wire/frame.js';
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
