import test from 'ava';
import fc from 'fast-check';
import { COUNTER_WORDS, encodeReportFrame, ReportTemplate } from '../../src/client/encode.js';
import type { Report } from '../../src/model/report.js';
import { FrameDecoder, FrameError } from '../../src/wire/frame.js';
import { decodeReport, encodeReport, MessageId } from '../../src/wire/messages.js';
import { anyReport, int32, uint32 } from '../model/samples.js';

const RUNS = { numRuns: 2000 };

function countersOf({ results }: Report): Uint32Array {
  return Uint32Array.from(results.flatMap(({ succ, err, overload }) => [succ, err, Number(overload)]));
}

const templateOf = ({ modid, cmdid, results }: Report) =>
  new ReportTemplate({ modid, cmdid, hosts: results });

test('the frames of a template are those of encodeReportFrame, byte for byte', (t) => {
  fc.assert(
    fc.property(anyReport, (sent) => {
      const frame = templateOf(sent).frame(sent.caller, sent.ts, countersOf(sent));
      t.deepEqual(Buffer.from(frame), encodeReportFrame(sent));
    }),
    RUNS,
  );
});

test('the same template takes new counters, callers and times, longer or shorter', (t) => {
  const values = fc.record({
    caller: int32,
    ts: uint32,
    counters: fc.array(fc.tuple(uint32, fc.nat(300), fc.boolean()), { minLength: 3, maxLength: 3 }),
  });
  fc.assert(
    fc.property(anyReport, fc.array(values, { maxLength: 5 }), (first, others) => {
      const hosts = [1, 2, 3].map((port) => ({ ip: first.caller, port, succ: 0, err: 0, overload: false }));
      const template = templateOf({ ...first, results: hosts });
      for (const { caller, ts, counters } of others) {
        const results = hosts.map((host, index) => {
          const [succ, err, overload] = counters[index]!;
          return { ...host, succ, err, overload };
        });
        const sent = { ...first, caller, ts, results };
        t.deepEqual(Buffer.from(template.frame(caller, ts, countersOf(sent))), encodeReportFrame(sent));
      }
    }),
  );
});

test('frames are written one behind the other into shared memory, from shared counters', (t) => {
  fc.assert(
    fc.property(fc.array(anyReport, { maxLength: 5 }), fc.nat(5), (reports, gap) => {
      const templates = reports.map(templateOf);
      const room = templates.reduce((sum, { maxFrameBytes }) => sum + maxFrameBytes, gap);
      const target = Buffer.alloc(room, 0xaa);
      const counters = Uint32Array.from(reports.flatMap((each) => [...countersOf(each)]));
      let at = gap;
      let from = 0;
      for (const [index, template] of templates.entries()) {
        const { caller, ts } = reports[index]!;
        at = template.write(target, at, caller, ts, counters, from);
        from += template.hosts * COUNTER_WORDS;
      }
      const frames = reports.map(encodeReportFrame);
      t.deepEqual(
        target.subarray(0, at),
        Buffer.concat([Buffer.alloc(gap, 0xaa), ...frames]),
        'and nothing before them is touched',
      );
      t.true(
        target.subarray(at).every((byte) => byte === 0xaa),
        'nor anything behind',
      );
    }),
  );
});

test('addresses may be given signed or unsigned: the same bytes are written', (t) => {
  const [caller, ip] = [-1_062_731_775, -1_408_237_567];
  const counters = Uint32Array.of(1, 2, 0);
  const signed = new ReportTemplate({ modid: 1, cmdid: 2, hosts: [{ ip, port: 80 }] });
  const unsigned = new ReportTemplate({ modid: 1, cmdid: 2, hosts: [{ ip: ip >>> 0, port: 80 }] });
  t.deepEqual(unsigned.frame(caller >>> 0, 3, counters), signed.frame(caller, 3, counters));
});

test('a frame reads back as the report', (t) => {
  const sent: Report = {
    modid: -7,
    cmdid: 0,
    caller: 0x0a000001,
    ts: 4_000_000_000,
    results: [
      { ip: -1, port: -1, succ: 0xffffffff, err: 0x80000000, overload: true },
      { ip: 0, port: 0, succ: 0, err: 0, overload: false },
    ],
  };
  const frame = templateOf(sent).frame(sent.caller, sent.ts, countersOf(sent));
  t.plan(2);
  new FrameDecoder().push(frame, (id, bytes, start, end) => {
    t.is(id, MessageId.reportStatusRequest);
    t.deepEqual(decodeReport(bytes.subarray(start, end)), sent);
  });
});

test('no frame is larger than its template said, and the largest is exactly that large', (t) => {
  const result = { ip: -1, port: -1, succ: 0xffffffff, err: 0xffffffff, overload: true };
  const sent: Report = { modid: -1, cmdid: -1, caller: -1, ts: 0xffffffff, results: [result, result] };
  const template = templateOf(sent);
  t.is(template.frame(sent.caller, sent.ts, countersOf(sent)).length, template.maxFrameBytes);
});

test('a target without room, or missing counters, are errors and not bytes that get lost', (t) => {
  const template = new ReportTemplate({ modid: 1, cmdid: 2, hosts: [{ ip: 3, port: 4 }] });
  const target = new Uint8Array(template.maxFrameBytes);
  const counters = Uint32Array.of(1, 2, 0);
  t.throws(() => template.write(target, 1, 5, 6, counters), { instanceOf: RangeError });
  t.throws(() => template.write(target, -1, 5, 6, counters), { instanceOf: RangeError });
  t.throws(() => template.write(target, Number.NaN, 5, 6, counters), { instanceOf: RangeError });
  t.throws(() => template.frame(5, 6, counters.subarray(1)), { instanceOf: RangeError });
  t.throws(() => template.write(target, 0, 5, 6, counters, 1), { instanceOf: RangeError });
});

test('hosts that do not fit a frame are refused exactly when encodeReportFrame refuses them', (t) => {
  const hosts = (count: number) =>
    Array.from({ length: count }, () => ({ ip: -1, port: 1, succ: 1, err: 1, overload: false }));
  const seen = { taken: 0, refused: 0 };
  for (let count = 3400; count < 3500; count++) {
    const sent: Report = { modid: 1, cmdid: 2, caller: 3, ts: 4, results: hosts(count) };
    const encode = () => templateOf(sent).frame(sent.caller, sent.ts, countersOf(sent));
    if (encodeReport(sent).length <= 65_527) {
      seen.taken++;
      t.deepEqual(Buffer.from(encode()), encodeReportFrame(sent));
    } else {
      seen.refused++;
      t.throws(encode, { instanceOf: FrameError });
    }
  }
  t.true(seen.taken > 0 && seen.refused > 0, JSON.stringify(seen));
});
