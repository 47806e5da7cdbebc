import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type Reporter, type Store, startReporter } from '../../src/index.js';
import { openStore } from '../../src/store/open.js';
import {
  type Fleet,
  isNumbered,
  LedgerChecker,
  OrderChecker,
  startFleet,
  until,
} from '../../src/testing/index.js';
import { type DatabaseServer, startServer, USER } from '../../tools/shared/database-server.js';
import { createWatchedTable, readAll } from '../../tools/shared/tables.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 90_000 };
const shape = { agents: 10, services: 20, hosts: 5 };
const KEYS = shape.agents * shape.services * shape.hosts;
const QUERY_TIMEOUT_MS = 1500;

let server: DatabaseServer;
let databases = 0;
test.before(async () => {
  server = await startServer();
});
test.after.always(() => server?.destroy());

/** A database of its own whose table is watched. */
async function watchedDatabase(): Promise<string> {
  const database = `lars_faults_${++databases}`;
  await createWatchedTable(server, database);
  return database;
}

/** The store `store.url` names, as the configuration of these tests has it. */
const storeOf = (database: string): Store =>
  openStore(server.url(database), { queryTimeoutMs: QUERY_TIMEOUT_MS, connectTimeoutMs: 1000 });

interface Site {
  readonly database: string;
  readonly store: Store;
  readonly reporter: Reporter;
  readonly fleet: Fleet;
  /** Watches what the writers ask for; what takes effect is watched by a trigger in the database. */
  readonly order: OrderChecker;
  readonly ledgers: LedgerChecker;
}

async function startSite(t: ExecutionContext, writers: ConfigInput['writers'] = {}): Promise<Site> {
  const database = await watchedDatabase();
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: 3, maxBatchRows: 200, ...writers },
    journal: { dir: `${tempDir(t)}/journal`, snapshotBytes: 1_000_000 },
  };
  const order = new OrderChecker({ numbered: isNumbered });
  const store = storeOf(database);
  const reporter = await startReporter(config, { store: order.watch(store) });
  t.teardown(() => reporter.stop());
  const ledgers = new LedgerChecker(() => reporter.ledger());
  t.teardown(() => ledgers.stop());
  const fleet = await startFleet({ port: reporter.address.port, ...shape, order });
  await until(() => fleet.rounds >= 3 && reporter.ledger().upserted >= KEYS, {
    ...BOUND,
    what: 'a running site',
  });
  return { database, store, reporter, fleet, order, ledgers };
}

/** Agents went on throughout; soon after it is over the table is right, and no write went backwards. */
async function endsRight(t: ExecutionContext, { database, store, reporter, fleet, order, ledgers }: Site) {
  const rounds = fleet.rounds;
  await until(() => fleet.rounds >= rounds + 3, { ...BOUND, what: 'agents to go on' });
  await fleet.stop();
  await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.is(order.keys, KEYS);
  const rows = await readAll(store);
  t.notThrows(() => order.verify({ rows }), 'every row is the last thing sent for its key');
  t.deepEqual(await server.query(`SELECT * FROM ${database}.steps_back`), [], 'no write went backwards');
  await ledgers.stop();
  t.notThrows(() => ledgers.verify(), 'the ledger balances in every sample');
}

/** Ends all of the reporters' sessions. */
async function killSessions(): Promise<void> {
  const sessions = await server.query(
    `SELECT id AS session FROM information_schema.processlist WHERE user = '${USER}'`,
  );
  for (const { session } of sessions) await server.query(`KILL ${session}`).catch(() => {});
}

const failing = (reporter: Reporter) =>
  reporter.status().writers.filter(({ store }) => store.state === 'failing');

/** The store is said to fail for a reason that is for a person to act on: all writers say so. */
async function configurationIsToBlame(reporter: Reporter) {
  // Connections that were lost before the refusal are told first.
  await until(
    () =>
      failing(reporter).filter(({ store }) => 'class' in store && store.class === 'configuration').length ===
      3,
    { ...BOUND, what: 'the configuration to be blamed' },
  );
}

/** The store is seen to fail while agents go on sending. */
async function outage(reporter: Reporter, fleet: Fleet) {
  await until(() => failing(reporter).length === 3, {
    ...BOUND,
    what: 'the outage to show in the status',
  }).catch((error) => {
    throw new Error(JSON.stringify(reporter.status().writers), { cause: error });
  });
  const rounds = fleet.rounds;
  await until(() => fleet.rounds >= rounds + 5, { ...BOUND, what: 'agents to go on during the outage' });
}

test.serial(
  'a database that is shut down and started again: agents go on, then the table is right',
  async (t) => {
    const site = await startSite(t);
    await server.stop();
    await outage(site.reporter, site.fleet);
    t.true(site.reporter.ledger().pending <= 2 * KEYS, 'the backlog is bounded by keys');
    await server.start();
    await endsRight(t, site);
  },
);

test.serial(
  'a database that is killed with -9 and started again: agents go on, then the table is right',
  async (t) => {
    const site = await startSite(t);
    await server.kill9();
    await outage(site.reporter, site.fleet);
    await server.start();
    await endsRight(t, site);
  },
);

test.serial(
  'a database that stands still for longer than the query timeout, with newer rows waiting: nothing goes backwards when it wakes up',
  async (t) => {
    const site = await startSite(t);
    for (let round = 0; round < 2; round++) {
      await server.pause();
      await outage(site.reporter, site.fleet);
      server.resume();
      await until(() => failing(site.reporter).length === 0, {
        ...BOUND,
        what: 'the store to take rows again',
      });
    }
    await endsRight(t, site);
  },
);

test.serial('connections that are killed by an operator are made anew, order kept', async (t) => {
  const site = await startSite(t);
  for (let round = 0; round < 5; round++) {
    await killSessions();
    const { upserted } = site.reporter.ledger();
    await until(() => site.reporter.ledger().upserted > upserted + KEYS, {
      ...BOUND,
      what: 'rows to be stored again',
    });
  }
  await endsRight(t, site);
});

test.serial(
  'a user whose grants are taken away and given back: said, journaled meanwhile, stored by itself afterwards',
  async (t) => {
    const site = await startSite(t);
    const grant = () => server.query(`GRANT ALL ON \`lars%\`.* TO '${USER}'@'%'`);
    // Whatever happens here, the tests that follow need them.
    t.teardown(async () => void (await grant()));
    await server.query(`REVOKE ALL PRIVILEGES ON \`lars%\`.* FROM '${USER}'@'%'`);
    // Grants on a database are looked up when a connection comes; those there, and one that is just coming, go on
    // with what they have.
    await until(
      async () => {
        await killSessions();
        return failing(site.reporter).length === 3;
      },
      { ...BOUND, what: 'all connections to be refused' },
    );
    await outage(site.reporter, site.fleet);
    await configurationIsToBlame(site.reporter);
    await grant();
    await endsRight(t, site);
  },
);

test.serial(
  'a table that is renamed away and back: said, journaled meanwhile, stored by itself afterwards',
  async (t) => {
    const site = await startSite(t);
    const table = `${site.database}.ServerCallStatus`;
    await server.query(`RENAME TABLE ${table} TO ${site.database}.aside`);
    await outage(site.reporter, site.fleet);
    await configurationIsToBlame(site.reporter);
    await server.query(`RENAME TABLE ${site.database}.aside TO ${table}`);
    await endsRight(t, site);
  },
);

test.serial(
  'a server that is set read-only and back: rows wait and none becomes a dead letter',
  async (t) => {
    const site = await startSite(t);
    t.teardown(async () => void (await server.query('SET GLOBAL read_only = 0')));
    await server.query('SET GLOBAL read_only = 1');
    await outage(site.reporter, site.fleet);
    t.is(site.reporter.ledger().deadLettered, 0);
    await server.query('SET GLOBAL read_only = 0');
    await endsRight(t, site);
    t.is(site.reporter.ledger().deadLettered, 0);
  },
);

test.serial('deadlocks provoked by another client are retried, order kept', async (t) => {
  const site = await startSite(t);
  const session = await server.session(site.database);
  t.teardown(() => session.end());
  const errors = async () => {
    const [metric] = await server.query(
      "SELECT COUNT AS total FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'",
    );
    return Number(metric?.['total']);
  };
  const before = await errors();
  // Locks rows in the order opposite to the writers', again and again, until some met.
  await until(
    async () => {
      await session.query('START TRANSACTION');
      try {
        await session.query(
          'UPDATE ServerCallStatus SET ts = ts + 0 ORDER BY modid DESC, cmdid DESC, ip DESC LIMIT 200',
        );
        await session.query('UPDATE ServerCallStatus SET ts = ts + 0 ORDER BY modid, cmdid, ip LIMIT 200');
        await session.query('ROLLBACK');
      } catch {
        await session.query('ROLLBACK');
      }
      return (await errors()) >= before + 3;
    },
    { ...BOUND, what: 'three deadlocks' },
  );
  await endsRight(t, site);
});

test.serial('a row that another client keeps locked holds up no other row', async (t) => {
  const site = await startSite(t);
  const { reporter, database } = site;
  const session = await server.session(database);
  t.teardown(() => session.end());
  const [key] = await server.query(
    `SELECT modid, cmdid, ip, port, caller, ts FROM ${database}.ServerCallStatus LIMIT 1`,
  );
  const condition = ['modid', 'cmdid', 'ip', 'port', 'caller']
    .map((name) => `${name}=${key?.[name]}`)
    .join(' AND ');
  await session.query('START TRANSACTION');
  await session.query(`SELECT * FROM ServerCallStatus WHERE ${condition} FOR UPDATE`);
  const stored = async () => {
    const [least] = await server.query(
      `SELECT MIN(succ_cnt) least FROM ${database}.ServerCallStatus WHERE NOT (${condition})`,
    );
    return Number(least?.['least']);
  };
  for (let times = 0; times < 3; times++) {
    const before = await stored();
    await until(async () => (await stored()) > before, {
      ...BOUND,
      what: 'every other row to be stored again',
    });
  }
  t.is(reporter.ledger().deadLettered, 0);
  await session.query('COMMIT');
  await endsRight(t, site);
});

test.serial('a trigger that takes long for each row: statements shrink until they fit', async (t) => {
  const site = await startSite(t);
  // Twelve rows fit. Statements that are slow without failing get no smaller than sixteen: each writer meets the limit.
  await server.query(`CREATE TRIGGER ${site.database}.slow BEFORE UPDATE ON ${site.database}.ServerCallStatus
    FOR EACH ROW DO SLEEP(${QUERY_TIMEOUT_MS / 12_500})`);
  // Each writer finds out for itself how much fits; the first may be done with it before the last has begun.
  const failed = new Set<number>();
  await until(
    () => {
      for (const { partition } of failing(site.reporter)) failed.add(partition);
      return failed.size === 3;
    },
    { ...BOUND, what: 'statements of each writer to take too long' },
  );
  const { upserted } = site.reporter.ledger();
  await until(() => site.reporter.ledger().upserted > upserted + 100, {
    ...BOUND,
    what: 'rows to be stored',
  });
  await server.query(`DROP TRIGGER ${site.database}.slow`);
  await endsRight(t, site);
});

test.serial('a row that a trigger refuses is a dead letter, the others are stored', async (t) => {
  const site = await startSite(t);
  await server.query(`CREATE TRIGGER ${site.database}.refuse BEFORE UPDATE ON ${site.database}.ServerCallStatus
    FOR EACH ROW BEGIN IF NEW.caller = 3 AND NEW.port = 8002 AND NEW.modid = 7 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'caller 3 is not welcome'; END IF; END`);
  await until(() => site.reporter.status().deadLetters === 1, { ...BOUND, what: 'the dead letter' });
  await server.query(`DROP TRIGGER ${site.database}.refuse`);
  await until(() => site.reporter.status().deadLetters === 0, { ...BOUND, what: 'it to be superseded' });
  await endsRight(t, site);
});

test.serial('4 → 7 → 2 writers with a backlog: nothing lost, nothing backwards', async (t) => {
  const database = await watchedDatabase();
  const order = new OrderChecker({ numbered: isNumbered });
  const config = (count: number): ConfigInput => ({
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count },
    journal: { dir },
  });
  const dir = `${tempDir(t)}/journal`;
  let round = 0;
  let recovered = 0;
  await server.stop();
  for (const count of [4, 7, 2]) {
    const reporter = await startReporter(config(count), { store: order.watch(storeOf(database)) });
    t.teardown(() => reporter.stop());
    t.is(reporter.ledger().recovered, recovered, 'everything that was pending moved along');
    const fleet = await startFleet({ port: reporter.address.port, ...shape, firstRound: round + 1, order });
    await until(() => fleet.rounds >= round + 5, { ...BOUND, what: 'a backlog' });
    const last = await fleet.stop();
    await until(() => reporter.status().inflightBytes === 0, { ...BOUND, what: 'it to be journaled' });
    // A value that was on its way when a newer one came counts until its statement has failed.
    await until(() => reporter.ledger().pending === KEYS, { ...BOUND, what: 'one value a key' });
    // The next layout finds a backlog; the last one stores it.
    recovered = KEYS;
    round = Math.max(...last.values());
    if (count === 2) {
      await server.start();
      await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the backlog to drain' });
      t.is(order.keys, KEYS);
      const rows = await readAll(storeOf(database));
      t.notThrows(() => order.verify({ rows }));
    }
    await reporter.stop();
  }
  t.deepEqual(await server.query(`SELECT * FROM ${database}.steps_back`), []);
});
