import test from 'ava';
import fc from 'fast-check';
import { RowBatch } from '../../../src/model/row.js';
import { type KeySigns, UpsertText } from '../../../src/store/mysql/upsert.js';
import { int32 } from '../../model/samples.js';

/** Few values, so that neighbours often agree, and those at which the number of digits or the sign changes. */
const word = fc.oneof(
  fc.constantFrom(0, 1, -1, 9, 10, 99, 100, 1e5, 999_999_999, 1e9, 0x7fffffff, -0x80000000, -0x7fffffff),
  fc.integer({ min: -3, max: 3 }),
  int32,
);
const rows = fc.array(fc.array(word, { minLength: 9, maxLength: 9 }), { minLength: 1, maxLength: 20 });
const signs: fc.Arbitrary<KeySigns> = fc.record({
  modid: fc.boolean(),
  cmdid: fc.boolean(),
  ip: fc.boolean(),
  port: fc.boolean(),
  caller: fc.boolean(),
});

test('a statement holds every number of every row, each column in its own sign', (t) => {
  fc.assert(
    fc.property(rows, signs, (list, { modid, cmdid, ip, port, caller }) => {
      const unsigned = [modid, cmdid, ip, port, caller, false, false, true];
      const words = Int32Array.from(list.flatMap((row) => [...row, 0]));
      const wanted = list.map((row) => {
        const numbers = unsigned.map((is, column) => (is ? row[column]! >>> 0 : row[column]!));
        return `(${numbers.join(',')},'${row[8]! & 1}')`;
      });
      const statement = new UpsertText({ modid, cmdid, ip, port, caller }).statement(words);
      t.is(/ VALUES (.*) ON DUPLICATE KEY UPDATE /.exec(statement)?.[1], wanted.join(','));
    }),
    { numRuns: 2000 },
  );
});

test('rows of one report, which share most of their numbers, come out as they are', (t) => {
  const signed = { modid: false, cmdid: false, ip: false, port: false, caller: false };
  const host = {
    modid: 7,
    cmdid: 12,
    caller: -1_062_731_775,
    succ: 0,
    err: 0,
    ts: 0xffffffff,
    overload: true,
  };
  const { words } = RowBatch.from([
    { ...host, ip: -9, port: 80 },
    { ...host, ip: -10, port: 80 },
    { ...host, ip: -10, port: 8080, overload: false },
  ]);
  t.true(
    new UpsertText(signed)
      .statement(words)
      .includes(
        " VALUES (7,12,-9,80,-1062731775,0,0,4294967295,'1')," +
          "(7,12,-10,80,-1062731775,0,0,4294967295,'1')," +
          "(7,12,-10,8080,-1062731775,0,0,4294967295,'0') ON DUPLICATE",
      ),
  );
});

test('a statement holds nothing of the longer one before it', (t) => {
  const signed = { modid: false, cmdid: false, ip: false, port: false, caller: false };
  const row = { modid: 1, cmdid: 2, ip: 3, port: 4, caller: 5, succ: 6, err: 7, ts: 8, overload: false };
  const text = new UpsertText(signed);
  const one = text.statement(RowBatch.from([row]).words);
  text.statement(RowBatch.from([row, { ...row, ip: 1_000_000_000 }, row]).words);
  t.is(text.statement(RowBatch.from([row]).words), one);
});
