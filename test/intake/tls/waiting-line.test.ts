import test from 'ava';
import { WaitingLine } from '../../../src/intake/tls/waiting-line.js';

function lineOf(...entries: [address: string, one: number][]) {
  const line = new WaitingLine<number>();
  for (const [address, one] of entries) line.add(address, one);
  return line;
}

const anyone = () => true;

test('addresses have their turn one after the other, however many wait of each', (t) => {
  const line = lineOf(['a', 1], ['a', 2], ['a', 3], ['b', 4], ['c', 5], ['a', 6]);
  const order: (number | undefined)[] = [];
  while (line.size > 0) order.push(line.next(anyone));
  t.deepEqual(order, [1, 4, 5, 2, 3, 6]);
  t.is(line.next(anyone), undefined);
});

test('an address that may not go now is passed over, and keeps its turn', (t) => {
  const line = lineOf(['a', 1], ['b', 2], ['b', 3]);
  t.is(
    line.next((address) => address !== 'a'),
    2,
  );
  t.is(line.next(anyone), 1);
  t.is(line.next(anyone), 3);
});

test('whether anybody waits who may go is known', (t) => {
  const line = lineOf(['a', 1], ['b', 2]);
  t.true(line.some((address) => address === 'b'));
  t.false(line.some((address) => address === 'c'));
  t.false(lineOf().some(anyone));
});

test('who leaves is counted no more', (t) => {
  const line = lineOf(['a', 1], ['b', 2], ['b', 3]);
  t.is(line.longest(), 'b');
  t.is(line.lastOf('b'), 3);
  t.true(line.remove('b', 3));
  t.false(line.remove('b', 3));
  t.deepEqual([line.size, line.countOf('b'), line.countOf('c')], [2, 1, 0]);
  t.true(line.remove('b', 2));
  t.true(line.remove('a', 1));
  t.is(line.longest(), undefined);
  t.deepEqual([...line], []);
});
