import test from 'ava';
import { connectionLimit } from '../../src/intake/connection-limit.js';
import type { RawHandle } from '../../src/keeper/handles.js';
import { HeldConnections, heldLimit } from '../../src/keeper/held.js';

test('a keeper holds more connections than a child reads, and leaves the child files that are no connections', (t) => {
  for (const openFiles of [200, 256, 1024, 4096, 65_536]) {
    const held = heldLimit(1_000_000, openFiles);
    t.true(held > connectionLimit(1_000_000, openFiles), `${openFiles} files`);
    t.true(openFiles - held >= Math.min(200, openFiles / 4), `${openFiles} files`);
  }
});

test('where files are no matter, a keeper holds what the child reads and what is on its way', (t) => {
  t.true(heldLimit(100, undefined) > 100);
  t.is(heldLimit(100, 1_000_000), heldLimit(100, undefined));
  t.is(heldLimit(1, 1), 1);
});

test('a connection of which no copy was sent yet is not one that was read: the next process takes it for new', (t) => {
  const held = new HeldConnections();
  const handle: RawHandle = {
    close: () => {},
    reset: () => {},
    setNoDelay: () => {},
    setKeepAlive: () => {},
    getsockname: () => 0,
  };
  const [sent, waiting] = [held.add(handle, 'agents'), held.add(handle, 'agents')];
  held.read(new Set([waiting]));
  t.true(held.get(sent)!.isRead);
  t.false(held.get(waiting)!.isRead);
});
