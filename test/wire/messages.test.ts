import test from 'ava';
import fc from 'fast-check';
import type { Report } from '../../src/model/report.js';
import { MAX_COUNTER, type Row, RowBatch } from '../../src/model/row.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import {
  decodeReport,
  decodeRouteRequest,
  decodeRouteResponse,
  encodeReport,
  encodeRouteRequest,
  encodeRouteResponse,
  ReportDecoder,
} from '../../src/wire/messages.js';
import { anyReport, int32, rowOf } from '../model/samples.js';
import { anyBody, delimited, validBody, varint } from './protobuf-bytes.js';

const RUNS = { numRuns: 2000 };

/** What the table should hold of a report, and how many of its counters do not fit. */
function expected({ modid, cmdid, caller, ts, results }: Report): { rows: Row[]; saturated: number } {
  const rows = results.map(({ ip, port, succ, err, overload }) => ({
    modid,
    cmdid,
    ip,
    port,
    caller,
    succ: Math.min(succ, MAX_COUNTER),
    err: Math.min(err, MAX_COUNTER),
    ts,
    overload,
  }));
  const saturated = results.flatMap(({ succ, err }) => [succ, err]).filter((n) => n > MAX_COUNTER).length;
  return { rows, saturated };
}

/** Decodes a body as the service does. */
function decodeRows(body: Uint8Array, tag = 0): { rows: Row[]; saturated: number } {
  const decoder = new ReportDecoder();
  const buffer = new RowBuffer(1);
  const count = decoder.decode(body, 0, body.length, buffer, tag);
  const rows = [...new RowBatch(buffer.rows())];
  if (rows.length !== count) throw new Error(`said ${count} rows, appended ${rows.length}`);
  return { rows, saturated: decoder.saturated };
}

/** What the reflected codec makes of a body; undefined when it refuses it. */
function reflected(body: Uint8Array): ReturnType<typeof expected> | undefined {
  let decoded: Report;
  try {
    decoded = decodeReport(body);
  } catch {
    return undefined;
  }
  return expected(decoded);
}

test('every report arrives as rows, field by field, whatever its numbers', (t) => {
  fc.assert(
    fc.property(anyReport, (sent) => {
      t.deepEqual(decodeRows(encodeReport(sent)), expected(sent));
    }),
  );
});

test('a report reads back as the object that was sent', (t) => {
  fc.assert(fc.property(anyReport, (sent) => t.deepEqual(decodeReport(encodeReport(sent)), sent)));
});

test('addresses may be given signed or unsigned: the same bytes are sent', (t) => {
  fc.assert(
    fc.property(anyReport, (sent) => {
      const results = sent.results.map((result) => ({ ...result, ip: result.ip >>> 0 }));
      const unsigned = { ...sent, caller: sent.caller >>> 0, results };
      t.deepEqual(encodeReport(unsigned), encodeReport(sent));
    }),
  );
});

test('rows are the same as those of the reflected codec, however unusually a report is written', (t) => {
  let unusual = 0;
  fc.assert(
    fc.property(validBody, (body) => {
      const wanted = reflected(body);
      // Lengths of more than five bytes are the one thing among these that the codec refuses.
      if (!wanted) {
        t.throws(() => decodeRows(body));
        return;
      }
      if (wanted.rows.length > 0) unusual++;
      t.deepEqual(decodeRows(body), wanted);
    }),
    RUNS,
  );
  t.true(unusual > RUNS.numRuns / 2, 'most bodies hold rows');
});

test('bytes are refused exactly when the reflected codec refuses them, and then leave no row behind', (t) => {
  const seen = { refused: 0, taken: 0 };
  fc.assert(
    fc.property(anyBody, (body) => {
      const wanted = reflected(body);
      if (wanted) {
        seen.taken++;
        t.deepEqual(decodeRows(body), wanted);
        return;
      }
      seen.refused++;
      const decoder = new ReportDecoder();
      const buffer = new RowBuffer(1);
      const good = encodeReport({ modid: 1, cmdid: 2, caller: 3, ts: 4, results: [RESULT, RESULT] });
      decoder.decode(good, 0, good.length, buffer, 0);
      const before = buffer.words.slice(0, 20);
      const { saturated } = decoder;
      t.throws(() => decoder.decode(body, 0, body.length, buffer, 0));
      t.is(buffer.length, 2);
      t.deepEqual(buffer.words.slice(0, 20), before);
      t.is(decoder.saturated, saturated);
      // It is as good as new for the next report.
      t.is(decoder.decode(good, 0, good.length, buffer, 0), 2);
      t.deepEqual(buffer.words.slice(20, 40), before);
    }),
    RUNS,
  );
  t.true(seen.refused > 200 && seen.taken > 200, JSON.stringify(seen));
});

const RESULT = { ip: 1, port: 2, succ: 0xffffffff, err: 4, overload: true };

test('nothing but the body is read, whatever lies around it', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(validBody, anyBody),
      fc.uint8Array({ maxLength: 12 }),
      // What would complete a field, a varint or a group that the body cuts off.
      fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc.constant(new Uint8Array(12)),
        fc.constant(Buffer.alloc(12, 36)),
      ),
      (body, before, after) => {
        const chunk = Buffer.concat([before, body, after]);
        const buffer = new RowBuffer();
        const embedded = () => {
          new ReportDecoder().decode(chunk, before.length, before.length + body.length, buffer, 0);
          return [...new RowBatch(buffer.rows())];
        };
        const wanted = reflected(body);
        if (wanted) t.deepEqual(embedded(), wanted.rows);
        else t.throws(embedded);
      },
    ),
    RUNS,
  );
});

test('counters that do not fit the table are stored as its largest number, and counted', (t) => {
  const results = [
    { ...RESULT, succ: 0x7fffffff, err: 0x80000000 },
    { ...RESULT, succ: 0xffffffff, err: 0xffffffff },
    { ...RESULT, succ: 0, err: 0x7fffffff },
  ];
  const { rows, saturated } = decodeRows(encodeReport({ modid: 1, cmdid: 2, caller: 3, ts: 4, results }));
  t.deepEqual(
    rows.map(({ succ, err }) => [succ, err]),
    [
      [0x7fffffff, 0x7fffffff],
      [0x7fffffff, 0x7fffffff],
      [0, 0x7fffffff],
    ],
  );
  t.is(saturated, 3);
});

test('a body of zero bytes is a report of all defaults, without rows', (t) => {
  t.deepEqual(decodeRows(new Uint8Array(0)), { rows: [], saturated: 0 });
  t.deepEqual(decodeReport(new Uint8Array(0)), { modid: 0, cmdid: 0, caller: 0, ts: 0, results: [] });
});

test('a result of zero bytes is a row of all defaults', (t) => {
  const { rows } = decodeRows(Uint8Array.from(delimited(4, [])));
  t.deepEqual(rows, [rowOf({ modid: 0, cmdid: 0, ip: 0, port: 0, caller: 0 })]);
});

test('fields that follow the results hold for all of them', (t) => {
  const result = delimited(4, [8, 9]);
  const { rows } = decodeRows(Uint8Array.from([...result, 8, 7, 16, 6, ...result, 24, 5, 40, 4]));
  const wanted = rowOf({ modid: 7, cmdid: 6, ip: 9, port: 0, caller: 5, ts: 4 });
  t.deepEqual(rows, [wanted, wanted]);
});

test('unknown fields nested too deep are refused at the same depth as by the reflected codec', (t) => {
  // Group 6 in group 6 in …, once in the report, once in a result.
  const nested = (depth: number) => [...Array<number>(depth).fill(51), ...Array<number>(depth).fill(52)];
  const refused = { inReport: 0, inResult: 0 };
  for (let depth = 1; depth < 150; depth++) {
    for (const [where, body] of [
      ['inReport', nested(depth)],
      ['inResult', delimited(4, nested(depth))],
    ] as const) {
      const bytes = Uint8Array.from(body);
      if (reflected(bytes)) t.notThrows(() => decodeRows(bytes), `${where} ${depth}`);
      else {
        refused[where]++;
        t.throws(() => decodeRows(bytes), undefined, `${where} ${depth}`);
      }
    }
  }
  t.true(refused.inReport > 0 && refused.inResult > refused.inReport);
});

test('the sender and the overload flag share a word of the row', (t) => {
  const body = encodeReport({
    modid: 1,
    cmdid: 2,
    caller: 3,
    ts: 4,
    results: [RESULT, { ...RESULT, overload: false }],
  });
  const buffer = new RowBuffer();
  new ReportDecoder().decode(body, 0, body.length, buffer, 12 << 1);
  t.deepEqual([buffer.words[8], buffer.words[18]], [(12 << 1) | 1, 12 << 1]);
});

test('route requests and responses arrive as they were sent', (t) => {
  fc.assert(
    fc.property(
      int32,
      int32,
      fc.array(fc.record({ ip: int32, port: int32 }), { maxLength: 5 }),
      (modid, cmdid, host) => {
        t.deepEqual(decodeRouteRequest(encodeRouteRequest({ modid, cmdid })), { modid, cmdid });
        const response = { modid, cmdid, host };
        t.deepEqual(decodeRouteResponse(encodeRouteResponse(response)), response);
      },
    ),
  );
  const cutOff = Uint8Array.from([8, ...varint(-1).slice(0, 4)]);
  t.throws(() => decodeRouteRequest(cutOff));
  t.throws(() => decodeRouteResponse(cutOff));
});
