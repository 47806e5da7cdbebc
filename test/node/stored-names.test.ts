import test from 'ava';
import type { ServiceNames } from '../../src/model/service-names.js';
import { followStoredNames } from '../../src/node/stored-names.js';
import { until } from '../../src/testing/index.js';

const BOUND = { boundMs: 10_000 };

const named = (...names: readonly [number, string][]): ServiceNames => ({
  byModid: new Map(names),
  byCmdid: new Map(),
});

test('names are told when they are others, and stay as they were while they cannot be read', async (t) => {
  let reads = 0;
  let answer: () => Promise<ServiceNames> = async () => named([1, 'one']);
  const told: ServiceNames[] = [];
  const reader = {
    async *rows() {},
    names: () => {
      reads++;
      return answer();
    },
  };
  const following = followStoredNames(reader, (names) => told.push(names), 1);
  t.teardown(() => following.end());
  const more = async () => {
    const before = reads;
    await until(() => reads >= before + 3, { ...BOUND, what: 'further readings' });
  };
  await more();
  t.deepEqual(told, [named([1, 'one'])]);

  answer = () => Promise.reject(new Error('away'));
  await more();
  following.tell();
  t.deepEqual(told.slice(1), [named([1, 'one'])]);

  answer = async () => named([1, 'uno'], [2, 'due']);
  await more();
  t.deepEqual(told.slice(2), [named([1, 'uno'], [2, 'due'])]);

  let answered: ((names: ServiceNames) => void) | undefined;
  const late = new Promise<ServiceNames>((resolve) => {
    answered = resolve;
  });
  answer = () => late;
  const before = reads;
  await until(() => reads > before, { ...BOUND, what: 'a reading that takes its time' });
  following.end();
  answered?.(named());
  await late;
  await Promise.resolve();
  t.is(told.length, 3, 'nothing is told after the end');
});

test('a store that knows no names is not asked', (t) => {
  const following = followStoredNames({ async *rows() {} }, () => t.fail(), 1);
  following.tell();
  following.end();
  followStoredNames(undefined, () => t.fail()).end();
  t.pass();
});
