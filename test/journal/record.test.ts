import test from 'ava';
import fc from 'fast-check';
import {
  decodePiece,
  decodeRecord,
  encodePiece,
  encodeRecord,
  type JournalRecord,
} from '../../src/journal/record.js';
import { ReporterError } from '../../src/model/errors.js';
import { WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import { int32, uint32 } from '../model/samples.js';

const CORRUPT = { instanceOf: ReporterError, code: 'JOURNAL_CORRUPT' } as const;

const words = (perItem: number, maxItems: number) =>
  fc
    .nat(maxItems)
    .chain((items) =>
      fc.array(int32, { minLength: items * perItem, maxLength: items * perItem, size: 'max' }),
    )
    .map((list) => Int32Array.from(list));

const record: fc.Arbitrary<JournalRecord> = fc.record({
  at: fc.nat(Number.MAX_SAFE_INTEGER),
  batchId: fc.nat(Number.MAX_SAFE_INTEGER),
  received: uint32,
  superseded: uint32,
  rows: words(WORDS_PER_ROW, 8),
  confirmed: words(WORDS_PER_KEY, 8),
  refused: words(WORDS_PER_KEY, 3),
  refusedSuperseded: uint32,
  quarantined: uint32,
});

test('a record reads back as it was written, wherever its bytes lie', (t) => {
  fc.assert(
    fc.property(record, fc.nat(7), (written, offset) => {
      const bytes = encodeRecord(written);
      t.deepEqual(decodeRecord(bytes), written);
      // As a store hands them out: in the middle of a larger buffer, at any alignment, gone afterwards.
      const larger = new Uint8Array(bytes.length + 16);
      larger.set(bytes, offset);
      const read = decodeRecord(larger.subarray(offset, offset + bytes.length));
      larger.fill(0);
      t.deepEqual(read, written);
    }),
  );
});

test('a piece of a snapshot reads back as the rows it was made of', (t) => {
  fc.assert(
    fc.property(words(WORDS_PER_ROW, 20), (rows) => t.deepEqual(decodePiece(encodePiece(rows)), rows)),
  );
});

const sample = encodeRecord({
  at: 1_795_331_890_123,
  batchId: 77,
  received: 3,
  superseded: 1,
  rows: Int32Array.from({ length: 2 * WORDS_PER_ROW }, (_, index) => index * 0x01010101),
  confirmed: Int32Array.from({ length: WORDS_PER_KEY }, (_, index) => -index),
  refused: Int32Array.from({ length: WORDS_PER_KEY }, (_, index) => ~index),
  refusedSuperseded: 2,
  quarantined: 0,
});

test('a record in which a single bit has flipped is refused', (t) => {
  for (let bit = 0; bit < sample.length * 8; bit++) {
    const bytes = sample.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => decodeRecord(bytes), CORRUPT, `bit ${bit}`);
  }
});

test('a record that is cut off, or followed by anything, is refused', (t) => {
  for (let length = 0; length < sample.length; length++)
    t.throws(() => decodeRecord(sample.subarray(0, length)), CORRUPT, `${length} bytes`);
  t.throws(() => decodeRecord(Uint8Array.from([...sample, 0])), CORRUPT);
  t.notThrows(() => decodeRecord(sample));
});

test('bytes that are no record are refused', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      (bytes) => void t.throws(() => decodeRecord(bytes), CORRUPT),
    ),
  );
});
