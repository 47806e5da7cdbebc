import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { BigValues } from '../../src/lmdb/big-values.js';
import { dataFileOf, openEnvironment } from '../../src/lmdb/open-environment.js';
import { decodeKey } from '../../src/lmdb/ordered-keys.js';
import { tempDir } from '../support/temp.js';

/** Larger ones have pages of their own, smaller ones lie in the tree. */
const LARGE = 3000;

function bigValuesIn(dir: string, name: string): Map<string, Uint8Array | undefined> {
  const values = new BigValues(dataFileOf(dir));
  const found = new Map(
    [...values.of(name)].map((value) => [decodeKey(value.key).join(), values.read(value)]),
  );
  values.close();
  return found;
}

test('whatever is put and removed: the large values read from the file are those that lmdb gives, in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          key: fc.tuple(fc.nat(3), fc.nat(300), fc.nat(20)),
          bytes: fc.oneof(fc.nat(100), fc.integer({ min: LARGE, max: 100_000 })),
          isGone: fc.boolean(),
        }),
        { minLength: 1, maxLength: 120 },
      ),
      async (entries) => {
        const dir = tempDir(t);
        const environment = openEnvironment({ dir, maxDbs: 4 });
        const table = environment.openDB<Uint8Array, number[]>({ name: 'values', encoding: 'binary' });
        const other = environment.openDB<Uint8Array, number[]>({ name: 'values-too', encoding: 'binary' });
        for (const [index, { key, bytes, isGone }] of entries.entries()) {
          const value = new Uint8Array(bytes).fill(index);
          await Promise.all([table.put(key, value), other.put(key, value.subarray(1))]);
          if (isGone) await table.remove(key);
        }
        const expected = [...table.getRange()]
          .filter(({ value }) => value.length >= LARGE)
          .map(({ key, value }) => [key.join(), Buffer.from(value)] as const);
        t.deepEqual([...bigValuesIn(dir, 'values')], expected);
        t.is(bigValuesIn(dir, 'nothing').size, 0);
        await environment.close();
      },
    ),
    { numRuns: 20 },
  );
});

test('of a file that is damaged or cut off, some values are missing or wrong, and none is waited for', async (t) => {
  const dir = tempDir(t);
  const environment = openEnvironment({ dir, maxDbs: 4 });
  const table = environment.openDB<Uint8Array, number[]>({ name: 'values', encoding: 'binary' });
  for (let key = 0; key < 400; key++) await table.put([1, key], new Uint8Array(LARGE + key).fill(key));
  await environment.close();
  const file = dataFileOf(dir);
  const sound = readFileSync(file);
  for (let part = 1; part < 8; part++) {
    truncateSync(file, Math.floor((sound.length * part) / 8));
    t.true(bigValuesIn(dir, 'values').size <= 400);
    appendFileSync(file, Buffer.alloc(sound.length - statSync(file).size, 0xff));
    t.true(bigValuesIn(dir, 'values').size <= 400);
    writeFileSync(file, sound);
  }
});
