import test from 'ava';
import fc from 'fast-check';
import { encodeReportFrame } from '../../src/client/encode.js';
import type { Report } from '../../src/model/report.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { encodeReport } from '../../src/wire/messages.js';
import { FrameLost, ResumedDecoder } from '../../src/wire/resumed-decoder.js';
import { findFrame } from '../../src/wire/resync.js';
import { isStrictReport } from '../../src/wire/strict-report.js';
import { int32 } from '../model/samples.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const report: fc.Arbitrary<Report> = fc.record({
  modid: int32,
  cmdid: int32,
  caller: int32,
  ts: uint32,
  results: fc.array(
    fc.record({ ip: int32, port: int32, succ: uint32, err: uint32, overload: fc.boolean() }),
    { maxLength: 12 },
  ),
});
/** A report that says anything is longer than nothing. */
const telling = report.filter((one) => encodeReport(one).length > 0);

/** Decodes a stream from byte `at` on, in pieces of `size`. */
function resume(stream: Buffer, at: number, size: number) {
  const bodies: Buffer[] = [];
  let skipped = 0;
  const decoder = new ResumedDecoder(65_527, (bytes) => {
    skipped = bytes;
  });
  for (let from = at; from < stream.length; from += size)
    decoder.push(stream.subarray(from, from + size), (_, bytes, start, end) =>
      bodies.push(Buffer.from(bytes.subarray(start, end))),
    );
  return { bodies, skipped, decoder };
}

test('whatever an encoder writes is a strict report', (t) => {
  fc.assert(
    fc.property(telling, (one) => {
      const body = encodeReport(one);
      t.true(isStrictReport(body, 0, body.length));
    }),
  );
});

test('a field that is not known, comes twice, out of its order, or in a longer form is none of a strict report', (t) => {
  const body = encodeReport(sample());
  for (const more of [
    [0x30, 1],
    [0x28, 1],
    [0x08, 1],
    [0x28, 0x81, 0x00],
  ])
    t.false(isStrictReport(Buffer.from([...body, ...more]), 0, body.length + more.length));
  t.false(isStrictReport(body, 0, 0));
  t.false(isStrictReport(Buffer.from([0x08, 0x81, 0x00]), 0, 3));
});

test('cut anywhere, a stream is read on from the next frame: all frames behind the cut, no other, whatever the pieces', (t) => {
  fc.assert(
    fc.property(
      fc.array(telling, { minLength: 2, maxLength: 8 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.integer({ min: 1, max: 5000 }),
      (reports, where, size) => {
        const frames = reports.map(encodeReportFrame);
        const stream = Buffer.concat(frames);
        const at = Math.floor(where * stream.length);
        let begin = 0;
        const behind = frames.filter((frame) => {
          const isBehind = begin >= at;
          begin += frame.length;
          return isBehind;
        });
        const { bodies, skipped } = resume(stream, at, size);
        t.deepEqual(
          bodies,
          behind.map((frame) => frame.subarray(8)),
        );
        if (behind.length > 0) {
          const expected = stream.length - at - behind.reduce((sum, frame) => sum + frame.length, 0);
          t.is(skipped, expected);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a stream that was cut between two frames is read on at once, a frame of an encoder that adds fields, too', (t) => {
  const body = Buffer.concat([encodeReport(sample()), Buffer.from([0x30, 0x07])]);
  const { bodies, skipped } = resume(encodeFrame(3, body), 0, 1000);
  t.deepEqual(bodies, [body]);
  t.is(skipped, 0);
});

test('bytes of chance hold no frame, and are given up in the end', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 3000 }), (bytes) => {
      t.is(findFrame(Buffer.from(bytes)).kind, 'more');
    }),
  );
  t.throws(() => resume(Buffer.alloc(400_000, 0x41), 0, 65_536), { instanceOf: FrameLost });
});

test('eight bytes that look like a header are none when no report follows, or nothing at all', (t) => {
  const frame = encodeReportFrame(sample());
  for (const body of [Buffer.from([1, 2, 3, 4]), Buffer.alloc(0)]) {
    const stream = Buffer.concat([Buffer.from([9]), encodeFrame(3, body), frame]);
    t.deepEqual(findFrame(stream), { kind: 'frame', at: stream.length - frame.length });
  }
});

test('what was seen while searching is kept for another process, as far as it may belong to a frame', (t) => {
  const frame = encodeReportFrame(sample());
  const stream = Buffer.concat([frame.subarray(10), frame.subarray(0, 20)]);
  const { decoder, bodies } = resume(stream, 0, 7);
  t.true(decoder.isSearching);
  t.deepEqual(decoder.rest(), frame.subarray(0, 20));
  decoder.push(frame.subarray(20), (_, bytes, start, end) =>
    bodies.push(Buffer.from(bytes.subarray(start, end))),
  );
  t.deepEqual(bodies, [frame.subarray(8)]);
});

test('who goes on with a search of another process is as strict as that was: a header alone is no frame', (t) => {
  const frame = encodeReportFrame(sample());
  const falseFrame = encodeFrame(3, Buffer.from([1, 2, 3, 4]));
  for (const skippedBytes of [0, 17]) {
    const bodies: Buffer[] = [];
    const found: number[] = [];
    const decoder = new ResumedDecoder(65_527, (skipped) => found.push(skipped), skippedBytes);
    decoder.push(Buffer.concat([falseFrame, frame]), (_, bytes, start, end) =>
      bodies.push(Buffer.from(bytes.subarray(start, end))),
    );
    // At the beginning of what was never looked at, a header is believed.
    t.is(bodies.length, skippedBytes === 0 ? 2 : 1);
    t.deepEqual(bodies.at(-1), frame.subarray(8));
    t.deepEqual(found, [skippedBytes === 0 ? 0 : skippedBytes + falseFrame.length]);
  }
});

function sample(): Report {
  const results = [{ ip: -1062731775, port: 8080, succ: 98, err: 2, overload: true }];
  return { modid: 1, cmdid: 2, caller: -1062731519, ts: 1_795_331_921, results };
}
