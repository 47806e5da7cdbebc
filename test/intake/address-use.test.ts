import test from 'ava';
import { AddressUse } from '../../src/intake/address-use.js';
import { Gate, type GateRules } from '../../src/intake/gate.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 20_000 };
const OPEN: GateRules = {
  ...{ maxConnections: 100, allow: [], deny: [], proxyFrom: [], verifyCaller: 'off', verifyExcept: [] },
  perAddress: {},
};

test('a connection that was reset before anybody looked is let in only where no rule is about addresses', (t) => {
  const lists = { allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'], proxyFrom: ['10.0.0.0/8'] };
  for (const [name, blocks] of Object.entries(lists))
    t.is(new Gate({ ...OPEN, [name]: blocks }, () => 0).denialOf('unknown'), 'address', name);
  const gate = new Gate({ ...OPEN, perAddress: { connections: 1 } }, () => 0);
  for (let count = 0; count < 3; count++) {
    t.is(gate.denialOf('unknown'), undefined);
    gate.entered('unknown');
  }
});

test('an address that comes back has not got more to send than one that stays', (t) => {
  const gate = new Gate({ ...OPEN, perAddress: { reportsPerSecond: 100 } }, () => 0);
  let pauses = 0;
  for (let times = 0; times < 50; times++) {
    const use = gate.entered('10.0.0.1');
    if (use.sent(100, 1)) pauses++;
    gate.left('10.0.0.1');
  }
  t.true(pauses > 0);
  t.true(gate.entered('10.0.0.1').isWaiting);
});

test('an address that waits goes on when its limit is raised', async (t) => {
  let reportsPerSecond = 1;
  const use = new AddressUse({
    reportsPerSecond: () => reportsPerSecond,
    hasRoom: () => true,
    onRested: () => {},
  });
  t.is(use.sent(600, 1), 'reports');
  reportsPerSecond = 100_000;
  await until(() => !use.isWaiting, { ...BOUND, what: 'it to go on' });
});

test('a report without rows lets an address with too many keys not go on', async (t) => {
  let looks = 0;
  const hasRoom = (peer: number) => {
    looks++;
    return peer !== 7;
  };
  const use = new AddressUse({ reportsPerSecond: () => 1_000_000, hasRoom, onRested: () => {} });
  use.connections = 1;
  t.is(use.sent(1, 7), 'keys');
  use.sent(1, 0);
  const before = looks;
  await until(() => looks >= before + 2, { ...BOUND, what: 'it to be looked at again' });
  t.true(use.isWaiting);
});

test('where nothing is configured, most of the connections may come from one address, and loopback has no limit', (t) => {
  const gate = new Gate({ ...OPEN, maxConnections: 10_000 }, () => 0);
  for (let count = 0; count < 8000; count++) gate.entered('10.0.0.1');
  t.is(gate.denialOf('10.0.0.1'), 'address-full');
  t.is(gate.denialOf('10.0.0.2'), undefined);
  for (let count = 0; count < 10_000; count++) gate.entered('127.0.0.1');
  t.is(gate.denialOf('127.0.0.1'), undefined);
});
