import test from 'ava';
import { confirmed, fenceAnswered, newFence, openFence, toConfirm } from '../../src/cluster/owner-fence.js';

const OLDER = { epoch: 4, count: 1 };
const NEWER = { epoch: 6, count: 1 };

test('a session is killed only when the log has confirmed the epoch after that session was seen', (t) => {
  const fence = newFence('lock', 5);
  openFence(fence, 0);
  fenceAnswered(fence, { kind: 'held', session: fence.session, holder: OLDER }, 10);
  const begun = toConfirm(fence)!;
  // Before the log answers, the session is lost, and another owner has the lock.
  fenceAnswered(fence, { kind: 'ended', session: fence.session }, 20);
  fenceAnswered(fence, { kind: 'held', session: fence.session, holder: NEWER }, 30);
  t.deepEqual(confirmed(fence, begun, true, 40), []);
  t.is(fence.phase, 'suspecting');
  const [kill] = confirmed(fence, toConfirm(fence)!, true, 50);
  t.like(kill, { kind: 'kill', victim: NEWER });
});

test('a node without a lease kills nobody', (t) => {
  const fence = newFence('lock', 5);
  openFence(fence, 0);
  fenceAnswered(fence, { kind: 'held', session: fence.session, holder: OLDER }, 10);
  t.deepEqual(confirmed(fence, toConfirm(fence)!, false, 20), []);
  t.is(fence.phase, 'locking');
});

test('no statement goes before the log has confirmed the epoch behind the lock', (t) => {
  const fence = newFence('lock', 5);
  openFence(fence, 0);
  t.is(toConfirm(fence), undefined);
  fenceAnswered(fence, { kind: 'locked', session: fence.session }, 10);
  t.is(fence.phase, 'confirming');
  confirmed(fence, toConfirm(fence)!, true, 20);
  t.is(fence.phase, 'open');
});

test('an answer to a session that was given up changes nothing', (t) => {
  const fence = newFence('lock', 5);
  openFence(fence, 0);
  const { session } = fence;
  openFence(fence, 10);
  fenceAnswered(fence, { kind: 'locked', session }, 20);
  t.is(fence.phase, 'locking');
});

test('a fence row of a later epoch opens nothing', (t) => {
  const fence = newFence('table', 5);
  openFence(fence, 0);
  fenceAnswered(fence, { kind: 'raised', epoch: 6, count: 3 }, 10);
  t.is(fence.phase, 'raising');
  fenceAnswered(fence, { kind: 'raised', epoch: 5, count: 3 }, 20);
  t.deepEqual([fence.phase, fence.count], ['open', 3]);
});
