import test from 'ava';
import fc from 'fast-check';
import type { Logger } from '../../src/model/log.js';
import { Complaints } from '../../src/observe/complaints.js';

const PERIOD_MS = 1000;

function complaining() {
  const said: { peer: string; kind: string; message: string; fields: object }[] = [];
  const unused = () => {
    throw new Error('complaints are warnings');
  };
  const logger: Logger = {
    debug: unused,
    info: unused,
    error: unused,
    warn: (fields, message) => {
      const { peer, kind, ...rest } = fields as { peer: string; kind: string };
      said.push({ peer, kind, message, fields: rest });
    },
  };
  return { said, complaints: new Complaints(logger, PERIOD_MS) };
}

test('the first complaint is said with its peer, its kind and its fields', (t) => {
  const { said, complaints } = complaining();
  complaints.about('10.0.0.1', 'length', { claimedBytes: 7 }, 'a bad header');
  t.deepEqual(said, [
    { peer: '10.0.0.1', kind: 'length', message: 'a bad header', fields: { claimedBytes: 7 } },
  ]);
});

test('each peer and kind of trouble is said once a period, and again in a later one', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(4), fc.nat(2), fc.nat(400)), { maxLength: 80, size: 'max' }),
      (events) => {
        const { said, complaints } = complaining();
        const wanted: string[] = [];
        let now = 5_000_000;
        let began = 0;
        let seen = new Set<string>();
        for (const [peer, kind, gapMs] of events) {
          now += gapMs;
          if (now - began >= PERIOD_MS) {
            began = now;
            seen = new Set();
          }
          const key = `${peer} ${kind}`;
          if (!seen.has(key)) wanted.push(key);
          seen.add(key);
          complaints.about(String(peer), String(kind), {}, 'trouble', now);
        }
        t.deepEqual(
          said.map(({ peer, kind }) => `${peer} ${kind}`),
          wanted,
        );
      },
    ),
  );
});

test('however many peers are in trouble, a thousand a period are the most that is said', (t) => {
  const { said, complaints } = complaining();
  for (const now of [10_000, 10_000 + PERIOD_MS]) {
    said.length = 0;
    for (let peer = 0; peer < 5000; peer++) complaints.about(`10.0.${peer}`, 'length', {}, 'trouble', now);
    t.is(said.length, 1000);
  }
});

test('when a thousand lines are reached, the last of them says that there are more', (t) => {
  const { said, logger } = capturing();
  const complaints = new Complaints(logger, PERIOD_MS);
  for (let peer = 0; peer < 2000; peer++) complaints.about(`10.0.${peer}`, 'length', {}, 'trouble', 10_000);
  t.is(said.length, 1000);
  t.deepEqual(said.at(-1)?.fields, { kind: 'complaints', peers: 999 });
  t.true(said.slice(0, -1).every(({ message }) => message === 'trouble'));
});

test('a flood of peers in trouble does not silence what is said of the reporter itself', (t) => {
  const { said, logger } = capturing();
  const complaints = new Complaints(logger, PERIOD_MS);
  for (let peer = 0; peer < 2000; peer++) complaints.about(`10.0.${peer}`, 'length', {}, 'trouble', 10_000);
  said.length = 0;
  for (let again = 0; again < 3; again++)
    complaints.ours('writer 1', 'ER_BAD', { row: 1 }, 'refused', 10_001);
  t.deepEqual(said, [{ fields: { peer: 'writer 1', kind: 'ER_BAD', row: 1 }, message: 'refused' }]);
  complaints.ours('writer 1', 'ER_BAD', {}, 'refused', 10_000 + PERIOD_MS);
  t.is(said.length, 2);
});

/** A logger that keeps what it is told, whole. */
function capturing() {
  const said: { fields: object; message: string }[] = [];
  const note = (fields: object, message: string) => void said.push({ fields, message });
  const logger: Logger = { debug: note, info: note, error: note, warn: note };
  return { said, logger };
}
