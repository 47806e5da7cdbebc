import test from 'ava';
import { StoreError, startReporter } from '../../src/index.js';
import type { Store } from '../../src/store/contract.js';
import { HostileAgent } from '../../src/testing/hostile-agent.js';
import { until } from '../../src/testing/until.js';
import { all, readLmdb } from '../journal/opened.js';
import { tempDir } from '../support/temp.js';

const REFUSING: Store = {
  description: 'refusing',
  open: async () => {},
  check: async () => {},
  close: async () => {},
  writer: () => ({
    upsert: async () => {
      throw new StoreError('poison', 'ER_BAD', 'never');
    },
    close: async () => {},
  }),
};

test('each row is known to come from its sender, the first of a connection like all others', async (t) => {
  const dir = `${tempDir(t)}/journal`;
  const reporter = await startReporter(
    { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir } },
    { store: REFUSING },
  );
  t.teardown(() => reporter.stop());
  const results = [1, 2].map((ip) => ({ ip, port: 1, succ: 1, err: 1, overload: true }));
  for (const host of [1, 2, 3]) {
    const agent = await HostileAgent.connect({
      port: reporter.address.port,
      localAddress: `127.0.7.${host}`,
    });
    for (const cmdid of [1, 2]) await agent.send({ modid: host, cmdid, caller: 1, ts: 1, results });
    await agent.close();
  }
  await until(() => reporter.ledger().deadLettered === 12, { boundMs: 20_000, what: 'all to be refused' });
  await reporter.stop();
  const reader = readLmdb(dir);
  const letters = (await all(reader.storedDeadLetters())).map(({ key, deadLetter }) => [
    key[0],
    deadLetter.peer,
  ]);
  t.is(reader.peerCount, 4, 'three agents, and the inside of the process');
  await reader.close();
  t.is(letters.length, 12);
  for (const [modid, peer] of letters) t.is(peer, `127.0.7.${modid}`);
});
