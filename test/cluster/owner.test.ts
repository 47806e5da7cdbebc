import test from 'ava';
import { type Entry, type LogAnswer, NO_BASE, type Placed } from '../../src/cluster/cluster-messages.js';
import { batchCame, claim, claimed, logAnswered, storeAnswered } from '../../src/cluster/owner.js';
import { newOwner, type Owner } from '../../src/cluster/owner-state.js';

const SENDER = { node: 0, life: 1 };
const LIMITS = {
  batchRows: 4,
  noteRows: 4,
  statementRows: 4,
  pieceKeys: 4,
  snapshotEntries: 100,
  maxKeys: 4,
};

function entryOf(epoch: number): Entry {
  return { epoch, base: NO_BASE, batch: undefined, confirmed: [], refused: [], replayed: [], released: [] };
}

/** Claims an epoch, and is told what the log has last. */
function openedIn(owner: Owner, epoch: number, last: Placed | undefined): void {
  claim(owner, epoch, 0);
  claimed(owner, epoch, 1, 0);
  logAnswered(owner, { kind: 'last', epoch, last }, true, 0);
}

/** Owns an empty partition in epoch 1; its own entry has sequence 3. */
function owning(): Owner {
  const owner = newOwner(0, { sender: SENDER, limits: LIMITS, fence: 'table' });
  openedIn(owner, 1, undefined);
  logAnswered(owner, { kind: 'appended', epoch: 1, expected: 0, sequence: 3 }, true, 0);
  const entries = [{ sequence: 3, behind: 0, entry: entryOf(1) }];
  logAnswered(owner, { kind: 'entries', epoch: 1, after: 0, entries }, true, 0);
  return owner;
}

test('what the log answered to an earlier epoch of a process counts for nothing in a later one', (t) => {
  const owner = owning();
  t.is(owner.phase, 'owning');
  // An append is on its way, and another owner comes and goes.
  batchCame(owner, { sender: SENDER, id: 1, rows: [{ key: 1, value: 1 }] }, 0);
  logAnswered(owner, { kind: 'refused', epoch: 1, expected: 3 }, true, 0);
  const entries = [{ sequence: 5, behind: 3, entry: entryOf(2) }];
  logAnswered(owner, { kind: 'entries', epoch: 1, after: 3, entries }, true, 0);
  t.is(owner.phase, 'none');
  // A late read shows the log as the first epoch knew it: the next entry has the same condition.
  openedIn(owner, 3, { sequence: 3, behind: 0, entry: entryOf(1) });
  t.is(owner.appending?.expected, 3);
  for (const answer of [
    { kind: 'appended', epoch: 1, expected: 3, sequence: 4 },
    { kind: 'refused', epoch: 1, expected: 3 },
    { kind: 'entries', epoch: 1, after: 3, entries: [] },
    { kind: 'last', epoch: 1, last: undefined },
  ] satisfies LogAnswer[])
    t.deepEqual(logAnswered(owner, answer, true, 0), [], answer.kind);
  t.is(owner.phase, 'opening');
  t.false(owner.appending?.isRefused);
});

test('an owner that finds entries removed behind those it has read asks who is last, and applies none', (t) => {
  const owner = newOwner(0, { sender: SENDER, limits: LIMITS, fence: 'table' });
  openedIn(owner, 2, { sequence: 3, behind: 0, entry: entryOf(1) });
  logAnswered(owner, { kind: 'appended', epoch: 2, expected: 3, sequence: 4 }, true, 0);
  const later = { sequence: 9, behind: 8, entry: entryOf(3) };
  const effects = logAnswered(owner, { kind: 'entries', epoch: 2, after: 0, entries: [later] }, true, 0);
  t.like(effects, [{ to: 'log', ask: { kind: 'last' } }]);
  t.is(owner.fold.sequence, 0);
  logAnswered(owner, { kind: 'last', epoch: 2, last: later }, true, 0);
  t.is(owner.phase, 'none');
});

test('a batch whose keys do not fit waits until the store has taken some', (t) => {
  const owner = owning();
  const keys = (from: number) => [0, 1, 2].map((index) => ({ key: from + index, value: 1 }));
  batchCame(owner, { sender: SENDER, id: 1, rows: keys(0) }, 0);
  logAnswered(owner, { kind: 'appended', epoch: 1, expected: 3, sequence: 4 }, true, 0);
  t.deepEqual(batchCame(owner, { sender: SENDER, id: 2, rows: keys(10) }, 0), []);
  t.is(owner.waiting.size, 1);
  const { session } = owner.fence;
  storeAnswered(owner, { kind: 'raised', epoch: 1, count: 0 }, 0);
  storeAnswered(owner, { kind: 'written', session, number: 1, refused: [] }, 0);
  // Keys that are pending already need no room, and note what is stored on their way.
  batchCame(owner, { sender: { node: 1, life: 1 }, id: 1, rows: keys(0) }, 0);
  t.is(owner.appending?.entry.confirmed.length, 3);
});
