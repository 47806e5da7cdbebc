import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startReporter } from '../../src/index.js';
import { openStore } from '../../src/store/open.js';
import { seeded, until } from '../../src/testing/index.js';
import { type DatabaseServer, startServer } from '../../tools/shared/database-server.js';
import { createWatchedTable, readAll } from '../../tools/shared/tables.js';
import { tempDir } from '../support/temp.js';

const WORKER = fileURLToPath(new URL('./kill-worker.js', import.meta.url));
const SERVICES = 20;
const HOSTS = 10;
const ROUNDS = 5;

let server: DatabaseServer;
test.before(async () => {
  server = await startServer();
});
test.after.always(() => server?.destroy());

/** Runs the worker until it is killed at a moment of chance. Resolves to the last round it said was journaled. */
async function runAndKill(args: readonly string[], afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [WORKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => said.includes('\n'), { boundMs: 20_000, what: 'the first round to be journaled' });
  // Not a wait for something: the moment of the kill is what the seed chooses.
  await sleep(afterMs);
  child.kill('SIGKILL');
  await ended;
  return Number(said.trimEnd().split('\n').at(-1));
}

for (const kind of ['embedded', 'database'] as const) {
  test.serial(
    `what was journaled when the reporter is killed with -9 is stored by the next one: ${kind}`,
    async (t) => {
      const dir = tempDir(t);
      let url = `embedded:${dir}/store`;
      if (kind === 'database') {
        await createWatchedTable(server, 'lars_kill');
        url = server.url('lars_kill');
      }
      const random = seeded(kind.length);
      let journaled = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const args = [`${dir}/journal`, url, `${SERVICES}`, `${HOSTS}`, `${journaled + 1}`];
        journaled = await runAndKill(args, random() * 400);
      }

      const store = openStore(url);
      const reporter = await startReporter({
        listen: { host: '127.0.0.1', port: 0 },
        writers: { count: 3 },
        journal: { dir: `${dir}/journal` },
        store: { url },
      });
      t.teardown(() => reporter.stop());
      await until(() => reporter.ledger().pending === 0, { boundMs: 20_000, what: 'the journal to drain' });
      await reporter.stop();
      await store.open();
      t.teardown(() => store.close());
      const rows = await readAll(store);
      t.is(rows.length, SERVICES * HOSTS);
      for (const row of rows) {
        t.true(row.succ >= journaled, `a row stands at ${row.succ}, journaled was ${journaled}`);
        t.true(row.succ <= journaled + 1, `a row stands at ${row.succ}, sent was at most ${journaled + 1}`);
      }
      if (kind === 'database') t.deepEqual(await server.query('SELECT * FROM lars_kill.steps_back'), []);
    },
  );
}

test.serial(
  'reporter and database killed with -9 in random order, again and again: every key at its last journaled value, nothing backwards',
  async (t) => {
    const dir = tempDir(t);
    const database = 'lars_kill_both';
    await createWatchedTable(server, database);
    const url = server.url(database);
    const seed = Number(process.env['LARS_TEST_SEED'] ?? 20_261_122);
    t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
    const random = seeded(seed);
    let journaled = 0;
    let databaseUp = true;
    for (let round = 0; round < 8; round++) {
      if (databaseUp && random() < 0.4) {
        await server.kill9();
        databaseUp = false;
      }
      const args = [`${dir}/journal`, url, `${SERVICES}`, `${HOSTS}`, `${journaled + 1}`];
      const running = runAndKill(args, 100 + random() * 400);
      // Now and then the database comes or goes while the reporter runs.
      if (random() < 0.5) {
        if (databaseUp) await server.kill9();
        else await server.start();
        databaseUp = !databaseUp;
      }
      journaled = await running;
    }
    if (!databaseUp) await server.start();
    const reporter = await startReporter({
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      writers: { count: 3 },
      journal: { dir: `${dir}/journal` },
      store: { url },
    });
    t.teardown(() => reporter.stop());
    await until(() => reporter.ledger().pending === 0, { boundMs: 60_000, what: 'the journal to drain' });
    t.true(reporter.ledger().balanced);
    const rows = await server.query(`SELECT succ_cnt FROM ${database}.ServerCallStatus`);
    t.is(rows.length, SERVICES * HOSTS);
    for (const row of rows) {
      const value = Number(row['succ_cnt']);
      t.true(
        value >= journaled && value <= journaled + 1,
        `a row stands at ${value}, journaled was ${journaled}`,
      );
    }
    t.deepEqual(await server.query(`SELECT * FROM ${database}.steps_back`), []);
  },
);
