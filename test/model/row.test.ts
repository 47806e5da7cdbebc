import test from 'ava';
import fc from 'fast-check';
import { compareKeys, type Row, RowBatch, unpackRow, WORDS_PER_ROW } from '../../src/model/row.js';
import { RowBufferPool } from '../../src/model/row-buffer.js';
import { anyRow, int32, pack } from './samples.js';

const anyRows = fc.array(anyRow, { maxLength: 20 });

test('rows come out of a batch as they went in', (t) => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      const batch = RowBatch.from(rows);
      t.is(batch.length, rows.length);
      t.deepEqual([...batch], rows);
      for (const [index, row] of rows.entries()) t.deepEqual(batch.at(index), row);
    }),
  );
});

test("the sender's number in a row does not show in its overload flag", (t) => {
  const words = pack({ overload: true });
  words[8]! |= 0x7fff_fffe;
  t.true(unpackRow(words, 0).overload);
  words[8]! &= ~1;
  t.false(unpackRow(words, 0).overload);
});

test('a batch has no rows outside its bounds', (t) => {
  const batch = RowBatch.from([]);
  t.throws(() => batch.at(0), { instanceOf: RangeError });
  const one = new RowBatch(pack({}));
  for (const index of [-1, 1, Number.NaN]) t.throws(() => one.at(index), { instanceOf: RangeError });
});

test('words that are no whole rows are refused', (t) => {
  t.throws(() => new RowBatch(new Int32Array(WORDS_PER_ROW + 1)), { instanceOf: RangeError });
});

test('a slice of a batch holds the rows from its start to before its end', (t) => {
  fc.assert(
    fc.property(anyRows, fc.nat(20), fc.nat(20), (rows, a, b) => {
      const [from, to] = [Math.min(a, b, rows.length), Math.min(Math.max(a, b), rows.length)];
      t.deepEqual([...RowBatch.from(rows).slice(from, to)], rows.slice(from, to));
    }),
  );
});

const keyOf = ({ modid, cmdid, ip, port, caller }: Row) => [modid, cmdid, ip, port, caller];

test('keys are ordered as the table orders its primary key, column by column, signed', (t) => {
  const close = fc.constantFrom(-0x80000000, -1, 0, 1, 0x7fffffff);
  const column = fc.oneof(close, int32);
  const keyed = fc
    .tuple(anyRow, column, column, column, column, column)
    .map(([row, modid, cmdid, ip, port, caller]) => ({ ...row, modid, cmdid, ip, port, caller }));
  fc.assert(
    fc.property(keyed, keyed, (a, b) => {
      const [keyA, keyB] = [keyOf(a), keyOf(b)];
      const differs = keyA.findIndex((value, index) => value !== keyB[index]);
      const wanted = differs < 0 ? 0 : Math.sign(keyA[differs]! - keyB[differs]!);
      const words = RowBatch.from([a, b]).words;
      t.is(compareKeys(words, 0, words, WORDS_PER_ROW), wanted);
    }),
  );
});

test('a row buffer grows with what is written, holds it whole, and is used again when it is released', (t) => {
  fc.assert(
    fc.property(fc.array(anyRows, { maxLength: 4 }), (batches) => {
      const pool = new RowBufferPool({ initialRows: 1, maxSpares: 4, maxSpareRows: 1000 });
      const first = pool.take();
      first.release();
      for (const rows of batches) {
        const buffer = pool.take();
        t.is(buffer, first);
        t.is(buffer.length, 0);
        for (const row of rows) {
          const at = buffer.next();
          buffer.words.set(RowBatch.from([row]).words, at);
        }
        t.is(buffer.length, rows.length);
        t.deepEqual([...new RowBatch(buffer.rows())], rows);
        const other = pool.take();
        t.not(other, buffer, 'one that is in use is given to nobody else');
        buffer.release();
      }
    }),
  );
});

test('a row buffer that a giant chunk has made large is not kept', (t) => {
  const pool = new RowBufferPool({ initialRows: 1, maxSpares: 4, maxSpareRows: 1000 });
  const buffer = pool.take();
  for (let row = 0; row < 100_000; row++) buffer.next();
  buffer.release();
  t.not(pool.take(), buffer);
});
