import test from 'ava';
import fc from 'fast-check';
import { BAD_BODIES, badFrame, paddedFrame, splitAt } from '../../src/testing/frames.js';
import { expectStream } from '../../src/testing/reference.js';
import { hostileStream, type PieceKind } from '../../src/testing/streams.js';
import { encodeFrame, HEADER_BYTES, MAX_BODY_BYTES } from '../../src/wire/frame.js';
import { decodingDifference } from '../../tools/fuzz/decoding.js';
import { shrink } from '../../tools/fuzz/shrink.js';
import { roundOf } from '../../tools/shared/reports.js';

const seed = Number(process.env['LARS_TEST_SEED'] ?? Date.now() & 0x7fffffff);

test('any stream, cut anywhere, gives the same frames, rows and error as the reference; no more is kept of it than arrived', async (t) => {
  t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
  const runs = 8000;
  for (let run = 0; run < runs; run++) {
    const stream = hostileStream(seed + run, { large: run % 10 === 0 });
    const found = decodingDifference(stream.bytes, stream.cuts);
    if (found === undefined) continue;
    const smallest = await shrink(stream, ({ bytes, cuts }) => decodingDifference(bytes, cuts) !== undefined);
    t.log(
      `stream ${stream.seed}, smallest: ${Buffer.from(smallest.bytes).toString('hex')}, cut at ${smallest.cuts}`,
    );
    t.fail(found);
    return;
  }
  t.pass();
});

test('streams of any bytes at all give the same as the reference', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc
            .tuple(fc.constantFrom(3, 3, 3, 1, -1), fc.uint8Array({ maxLength: 60 }))
            .map(([id, body]) => encodeFrame(id, body)),
        ),
        { maxLength: 6 },
      ),
      fc.array(fc.nat(400), { maxLength: 30 }),
      (parts, cuts) => {
        t.is(decodingDifference(Buffer.concat(parts), cuts), undefined);
      },
    ),
    { numRuns: 2000 },
  );
});

test('hostile streams hold every kind of malformation, and end in every way there is', (t) => {
  const kinds = new Set<PieceKind>();
  const endings = new Map<string, number>();
  const counted = { rows: 0, undecodable: 0, 'unknown-id': 0, empty: 0, saturated: 0 };
  for (let run = 0; run < 3000; run++) {
    const stream = hostileStream(run);
    for (const { kind } of stream.pieces) kinds.add(kind);
    const expected = expectStream(stream.bytes);
    endings.set(expected.ending, (endings.get(expected.ending) ?? 0) + 1);
    if (expected.rows.length > 0) counted.rows++;
    if (expected.rejected.undecodable > 0) counted.undecodable++;
    if (expected.rejected['unknown-id'] > 0) counted['unknown-id']++;
    if (expected.emptyReports > 0) counted.empty++;
    if (expected.saturated > 0) counted.saturated++;
  }
  t.is(kinds.size, 13);
  for (const ending of ['whole', 'incomplete', 'length', 'bad-frames'])
    t.true((endings.get(ending) ?? 0) > 50, `${ending}: ${endings.get(ending)}`);
  for (const [what, streams] of Object.entries(counted)) t.true(streams > 300, `${what}: ${streams}`);
});

test('a seed repeats its stream', (t) => {
  for (const one of [0, 7, -5, 2 ** 31]) t.deepEqual(hostileStream(one), hostileStream(one));
  t.notDeepEqual(hostileStream(1).bytes, hostileStream(2).bytes);
});

test('each of the bad bodies is no report', (t) => {
  for (const kind of Object.keys(BAD_BODIES) as (keyof typeof BAD_BODIES)[]) {
    const { rejected, frames } = expectStream(badFrame(kind));
    t.deepEqual([frames, rejected.undecodable], [1, 1], kind);
  }
});

test('a padded frame is as long as asked for and means the same', (t) => {
  const report = roundOf(2, 4, 3);
  for (const bodyBytes of [200, 20_000, MAX_BODY_BYTES]) {
    const frame = paddedFrame(report, bodyBytes);
    t.is(frame.length, HEADER_BYTES + bodyBytes);
    t.is(expectStream(frame).rows.length, 3);
  }
  t.throws(() => paddedFrame(report, 10), { instanceOf: RangeError });
});

test('bytes are cut where they are asked to be, and nothing of them is lost', (t) => {
  const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);
  const lengths = (cuts: number[]) => splitAt(bytes, cuts).map((piece) => piece.length);
  t.deepEqual(lengths([]), [10]);
  t.deepEqual(lengths([8, 1, 1]), [1, 7, 2]);
  t.deepEqual(lengths([-1, 0, 10, 11]), [10]);
  t.deepEqual(Buffer.concat(splitAt(bytes, [3, 4])), Buffer.from(bytes));
});

test('a counterexample is made as small as it can be', async (t) => {
  const bytes = Buffer.concat([Buffer.alloc(100, 1), Buffer.of(7, 9, 7), Buffer.alloc(50, 2)]);
  const { bytes: smallest, cuts } = await shrink({ bytes, cuts: [5, 101] }, (example) =>
    Buffer.from(example.bytes).includes(9),
  );
  t.deepEqual([...smallest], [9]);
  t.deepEqual(cuts, []);
});
