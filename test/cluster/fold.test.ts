import test from 'ava';
import { type Entry, NO_BASE } from '../../src/cluster/cluster-messages.js';
import { applyEntry, applyPiece, emptyFold, pieceOf } from '../../src/cluster/fold.js';

function entryOf(parts: Partial<Entry>): Entry {
  const nothing = { batch: undefined, confirmed: [], refused: [], replayed: [], released: [] };
  return { epoch: 1, base: NO_BASE, ...nothing, ...parts };
}

const sender = { node: 0, life: 1 };
const batch = (id: number, value: number) => ({ sender, id, rows: [{ key: 1, value }] });
const row = (sequence: number, value: number) => ({ key: 1, value, sequence });

test('a row that is refused becomes a dead letter though an older one of its key is released with it', (t) => {
  const fold = emptyFold();
  applyEntry(fold, { sequence: 1, behind: 0, entry: entryOf({ batch: batch(1, 10) }) });
  applyEntry(fold, {
    sequence: 2,
    behind: 1,
    entry: entryOf({ refused: [row(1, 10)], batch: batch(2, 20) }),
  });
  applyEntry(fold, { sequence: 3, behind: 2, entry: entryOf({ released: [1], refused: [row(2, 20)] }) });
  t.deepEqual([...fold.deadLetters.values()], [row(2, 20)]);
  t.is(fold.pending.size, 0);
});

test('a newer value that is stored removes the dead letter of its key, an older one does not', (t) => {
  const fold = emptyFold();
  applyEntry(fold, { sequence: 5, behind: 0, entry: entryOf({ refused: [row(4, 10)] }) });
  applyEntry(fold, { sequence: 6, behind: 5, entry: entryOf({ confirmed: [{ key: 1, sequence: 3 }] }) });
  t.is(fold.deadLetters.size, 1);
  applyEntry(fold, { sequence: 8, behind: 6, entry: entryOf({ confirmed: [{ key: 1, sequence: 7 }] }) });
  t.is(fold.deadLetters.size, 0);
});

test('entries behind a snapshot that holds a key as it was later come to the same', (t) => {
  const entries = [
    entryOf({ batch: batch(1, 10) }),
    entryOf({ refused: [row(1, 10)], batch: batch(2, 20) }),
    // The newer value waits: the dead letter goes.
    entryOf({ released: [1] }),
    entryOf({ confirmed: [{ key: 1, sequence: 2 }] }),
    entryOf({ batch: batch(3, 30) }),
    entryOf({ refused: [row(5, 30)] }),
    entryOf({ replayed: [{ key: 1, value: 30 }] }),
  ].map((entry, index) => ({ sequence: index + 1, behind: index, entry }));
  const whole = emptyFold();
  for (const placed of entries) applyEntry(whole, placed);
  for (let begun = 0; begun <= entries.length; begun++)
    for (let read = begun; read <= entries.length; read++) {
      const later = emptyFold();
      for (const placed of entries.slice(0, read)) applyEntry(later, placed);
      const found = emptyFold();
      applyPiece(found, pieceOf(later, [1]));
      for (const placed of entries.slice(begun)) applyEntry(found, placed);
      t.deepEqual(
        [found.pending, found.deadLetters, found.senders],
        [whole.pending, whole.deadLetters, whole.senders],
      );
    }
});
