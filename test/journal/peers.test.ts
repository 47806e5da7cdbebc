import test from 'ava';
import { open } from 'lmdb';
import { PeerTable } from '../../src/journal/lmdb/peers.js';
import { until } from '../../src/testing/until.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 10_000 };

function table(t: Parameters<typeof tempDir>[0]) {
  const environment = open({ path: tempDir(t), noSubdir: false, maxDbs: 1, eventTurnBatching: false });
  t.teardown(() => environment.close());
  return environment.openDB<string, number>({ name: 'peers', encoding: 'string' });
}

test('however many addresses come, a bounded number of them is remembered; the others are "unknown"', async (t) => {
  const stored = table(t);
  const peers = new PeerTable(stored, { maxPeers: 10 });
  const numbers = Array.from({ length: 1000 }, (_, index) => peers.number(`10.0.0.${index}`));
  t.deepEqual(
    numbers.filter((number) => number > 0),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  t.is(peers.number('10.0.0.3'), 4, 'those that are known stay known');
  t.is(peers.number('10.0.0.999'), 0);
  await until(() => stored.getKeysCount() === 10, { ...BOUND, what: 'ten addresses on disk' });
});

test('a table that is half full begins anew when nothing that is stored carries a number, and only then', async (t) => {
  const stored = table(t);
  const full = new PeerTable(stored, { maxPeers: 4 });
  for (const address of ['a', 'b', 'c']) full.number(address);
  await until(() => stored.getKeysCount() === 3, { ...BOUND, what: 'three addresses on disk' });
  t.is(new PeerTable(stored, { maxPeers: 4, isUnused: () => false }).number('c'), 3);
  t.is(
    new PeerTable(stored, { maxPeers: 6, isUnused: () => true }).number('c'),
    3,
    'not more than half full',
  );
  const anew = new PeerTable(stored, { maxPeers: 4, isUnused: () => true });
  t.is(anew.number('d'), 1);
  await until(() => stored.getKeysCount() === 1, { ...BOUND, what: 'the new address alone on disk' });
  t.is(anew.address(1), 'd');
});

test('an address that could not be written keeps its number, and is written when it comes again', async (t) => {
  const stored = table(t);
  let isFull = true;
  let tries = 0;
  const failing = new Proxy(stored, {
    get: (target, name) => {
      if (name === 'put' && isFull)
        return () => {
          tries++;
          return Promise.reject(new Error('no room'));
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const peers = new PeerTable(failing, { maxPeers: 3 });
  for (let again = 0; again < 10; again++) {
    t.is(peers.number('10.0.0.1'), 1);
    await new Promise(setImmediate);
  }
  t.true(tries > 1);
  isFull = false;
  t.is(peers.number('10.0.0.1'), 1);
  await until(() => stored.get(1) === '10.0.0.1', { ...BOUND, what: 'the address on disk' });
  t.is(peers.number('10.0.0.2'), 2);
});
