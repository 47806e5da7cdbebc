import { readFileSync } from 'node:fs';
import test from 'ava';
import { type Row, RowBatch } from '../../src/model/row.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { encodeFrame, FrameDecoder } from '../../src/wire/frame.js';
import { decodeReport, encodeReport, MessageId, ReportDecoder } from '../../src/wire/messages.js';

const fixture = (name: string) => readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url));

/** The report that report-client.bin carries. */
const REPORT = {
  modid: 2,
  cmdid: 1,
  caller: 123,
  ts: 1795331890,
  results: [
    { ip: 1, port: 1, succ: 100, err: 3, overload: false },
    { ip: 2, port: 4, succ: 100, err: 3, overload: false },
    { ip: 3, port: 9, succ: 100, err: 3, overload: true },
  ],
};

/** A row as the fixture has it: addresses unsigned. */
function asStored(row: Row) {
  return {
    modid: row.modid,
    cmdid: row.cmdid,
    ip: row.ip >>> 0,
    port: row.port >>> 0,
    caller: row.caller >>> 0,
    succ_cnt: row.succ,
    err_cnt: row.err,
    ts: row.ts,
    overload: row.overload ? '1' : '0',
  };
}

/** The last row of each key of a stream that arrives in pieces of `pieceBytes`. */
function tableAfter(stream: Buffer, pieceBytes: number): { table: unknown[]; frames: number } {
  const decoder = new FrameDecoder();
  const reports = new ReportDecoder();
  const rows = new RowBuffer();
  let frames = 0;
  for (let at = 0; at < stream.length; at += pieceBytes) {
    decoder.push(stream.subarray(at, at + pieceBytes), (id, bytes, start, end) => {
      if (id !== MessageId.reportStatusRequest) throw new Error(`an agent sends reports only, not ${id}`);
      frames++;
      reports.decode(bytes, start, end, rows, 0);
    });
  }
  const last = new Map<string, ReturnType<typeof asStored>>();
  for (const row of new RowBatch(rows.rows())) {
    const stored = asStored(row);
    last.set([stored.modid, stored.cmdid, stored.ip, stored.port, stored.caller].join(), stored);
  }
  const table = [...last.values()].sort(
    (a, b) => a.modid - b.modid || a.cmdid - b.cmdid || a.ip - b.ip || a.port - b.port || a.caller - b.caller,
  );
  return { table, frames };
}

test('the stream of a real agent comes to the table it came to', (t) => {
  const stream = fixture('agent.bin');
  const expected: unknown = JSON.parse(fixture('agent.expected.json').toString());
  for (const pieceBytes of [stream.length, 1000, 7, 1]) {
    t.deepEqual(tableAfter(stream, pieceBytes), { table: expected as unknown[], frames: 227 });
  }
});

test('a report is encoded to the very bytes the original client sends', (t) => {
  const bytes = fixture('report-client.bin');
  t.deepEqual(encodeFrame(MessageId.reportStatusRequest, encodeReport(REPORT)), bytes);
  t.deepEqual(decodeReport(bytes.subarray(8)), REPORT);
});
