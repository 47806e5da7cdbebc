import test from 'ava';
import { NO_EVENTS } from '../../src/observe/events.js';
import { StoreHealth } from '../../src/observe/store-health.js';
import { PendingRows } from '../../src/partition/pending.js';
import { FlushLoop } from '../../src/writer/flush.js';
import { pack } from '../model/samples.js';

test('what a long pass has stored is not remembered beyond the bound, and gives its room to new keys', async (t) => {
  const keys = 400;
  const maxRows = 10;
  const maxResting = 50;
  const pending = new PendingRows({ restMs: 60_000, maxResting });
  for (let ip = 0; ip < keys; ip++) pending.fold(pack({ ip }), 1);
  let most = 0;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const loop: FlushLoop = new FlushLoop({
      ...{ pending, maxRows, health: new StoreHealth(0, NO_EVENTS) },
      store: { upsert: async () => {}, close: async () => {} },
      atStep: () => {},
      onFlushed: (chunk) => {
        pending.confirm(pending.unchangedKeys([chunk]), 0);
        loop.checked([chunk]);
        most = Math.max(most, pending.remembered);
        sent += chunk.rows.length;
        if (sent === keys) void loop.stop().then(resolve);
      },
      onRefused: () => {},
      onReleased: () => {},
      onFailure: (_, error) => reject(error),
      onSetAside: () => {},
      onCrash: reject,
    });
  });
  t.is(pending.keys, 0);
  t.true(most <= maxResting + 2 * maxRows, `${most} keys were remembered`);
});
