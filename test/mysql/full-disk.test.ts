import test from 'ava';
import { startReporter } from '../../src/index.js';
import type { MysqlStoreEvent } from '../../src/store/mysql/store.js';
import { openStore } from '../../src/store/open.js';
import { isNumbered, numberedReport, OrderChecker, until } from '../../src/testing/index.js';
import { startServer } from '../../tools/shared/database-server.js';
import { serverProgram } from '../../tools/shared/server-program.js';
import { createWatchedTable, readAll } from '../../tools/shared/tables.js';
import { Ballast, onSmallDisk } from '../support/small-disk.js';
import { tempDir } from '../support/temp.js';

const DISK_MEGABYTES = 175;
const QUERY_TIMEOUT_MS = 2000;
const BOUND = { boundMs: 60_000 };
/** The server looks for room once a minute. */
const ROOM_BOUND = { boundMs: 120_000 };
const SERVICES = 5;
const HOSTS = 1000;

test('a disk that is full under the binary log: the server lives, its commits are waited for, and all is stored in order when there is room', async (t) => {
  t.timeout(290_000);
  const mysql = serverProgram();
  t.is(mysql.flavour, 'mysql', 'LARS_TEST_SERVER names a MySQL');
  const server = await startServer({ program: onSmallDisk(t, mysql, DISK_MEGABYTES) });
  t.teardown(() => server.destroy());
  await createWatchedTable(server, 'lars');
  const [settings] = await server.query(
    'SELECT @@log_bin logs, @@binlog_error_action action, @@sync_binlog sync',
  );
  t.deepEqual({ ...settings }, { logs: 1, action: 'ABORT_SERVER', sync: 1 }, 'defaults');
  const bystander = await server.session('lars');
  t.teardown(() => bystander.destroy());

  const events: MysqlStoreEvent[] = [];
  const order = new OrderChecker({ numbered: isNumbered });
  const store = openStore(server.url('lars'), {
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    connectTimeoutMs: QUERY_TIMEOUT_MS,
    lockTimeoutMs: QUERY_TIMEOUT_MS,
    onEvent: (event) => events.push(event),
  });
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      writers: { count: 2, maxBatchRows: 5000 },
      journal: { dir: `${tempDir(t)}/journal` },
    },
    { store: order.watch(store) },
  );
  t.teardown(() => reporter.stop());
  let round = 0;
  const report = async () => {
    round++;
    for (let service = 0; service < SERVICES; service++) {
      const one = numberedReport(service, 7, HOSTS, round);
      order.sent(one);
      await reporter.report(one);
    }
  };
  const hanging = () =>
    reporter
      .status()
      .writers.flatMap(({ store: state }) =>
        state.state === 'failing' && state.code === 'COMMIT_HANGS' ? [state] : [],
      );

  await report();
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the first round' });
  const ballast = new Ballast(server, server.dataDir);
  ballast.leave(3);
  await until(
    async () => {
      if (hanging().length > 0) return true;
      const { upserted } = reporter.ledger();
      await report();
      await until(() => reporter.ledger().upserted > upserted || hanging().length > 0, {
        ...BOUND,
        what: 'rows to be stored, or the disk to be full',
      });
      return false;
    },
    { ...BOUND, what: 'the disk to be full' },
  );
  const awaited = () => events.filter(({ type }) => type === 'commit-awaited').length;
  const before = awaited();
  await until(() => awaited() >= before + 3, { ...BOUND, what: 'three more attempts' });
  await report();

  const [state] = hanging();
  t.is(state?.class, 'retry-slowly');
  t.regex(state?.message ?? '', /its disk is full\. Make room on the database's disk/);
  t.deepEqual(
    events.filter(({ type }) => type !== 'commit-awaited'),
    [],
    'no session is killed',
  );
  const [stored] = (await bystander.query('SELECT COUNT(*) n FROM ServerCallStatus'))[0] as { n: number }[];
  t.is(stored?.n, SERVICES * HOSTS, 'others can read');
  const sessions = await server.query('SHOW PROCESSLIST');
  t.deepEqual(
    sessions.filter(({ Command }) => Command === 'Killed'),
    [],
  );
  t.is(reporter.ledger().deadLettered, 0);

  ballast.drop();
  await until(() => reporter.ledger().pending === 0, { ...ROOM_BOUND, what: 'everything to be stored' });
  t.deepEqual(await server.query('SELECT * FROM lars.steps_back'), [], 'no row went backwards');
  const rows = await readAll(store);
  t.notThrows(() => order.verify({ rows }));
});
