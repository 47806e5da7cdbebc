import type { Report } from '../../src/model/report.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { decodeReport, MessageId } from '../../src/wire/messages.js';

/** The reports in a stream that has nothing else; what its end cuts off is passed over. */
export function reportsIn(bytes: Buffer): Report[] {
  const reports: Report[] = [];
  new FrameDecoder().push(bytes, (id, body, start, end) => {
    if (id !== MessageId.reportStatusRequest) throw new Error(`a frame with id ${id}`);
    reports.push(decodeReport(body.subarray(start, end)));
  });
  return reports;
}
