import test, { type ExecutionContext } from 'ava';
import { type StoredRowsAnswer, storedRowsRoute } from '../../src/admin/stored-rows.js';
import { StoreError } from '../../src/model/errors.js';
import type { Store, StoreReader } from '../../src/store/contract.js';
import { MemoryStore } from '../../src/testing/index.js';
import { batch, row } from '../support/rows.js';
import { ask, askJson, serve } from './ask.js';

async function serveStore(t: ExecutionContext, store: Store | undefined) {
  const { address } = await serve(t, { routes: [storedRowsRoute(() => store)] });
  return address;
}

async function filled(count: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const writer = store.writer({ partition: 0, partitions: 1, journalId: 'x' });
  const rows = Array.from({ length: count }, (_, index) =>
    row({ modid: -1, cmdid: 2, ip: -1_062_731_775 + index, port: 80, caller: -1, overload: index === 0 }),
  );
  await writer.upsert(batch([...rows, row({ modid: 5 })]));
  return store;
}

const reading = (rows: StoreReader['rows']): Store =>
  Object.assign(new MemoryStore(), { read: { rows } satisfies StoreReader });

test('GET /api/rows gives the table as it is, page by page, none twice, none left out', async (t) => {
  const address = await serveStore(t, await filled(7));
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let pages = 1; cursor !== null; pages++) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { status, body } = await askJson<StoredRowsAnswer>(
      t,
      address,
      `/api/rows?modid=-1&cmdid=2&limit=3${query}`,
    );
    t.is(status, 200);
    if (pages === 1)
      t.deepEqual(body.rows[0], {
        ...{ modid: -1, cmdid: 2, ip: '192.168.0.1', port: 80, caller: '255.255.255.255' },
        ...{ succ: 6, err: 7, ts: 8, overload: true },
      });
    seen.push(...body.rows.map(({ ip }) => ip));
    cursor = body.cursor;
    t.is(cursor === null, pages === 3);
  }
  t.deepEqual(
    seen,
    Array.from({ length: 7 }, (_, index) => `192.168.0.${index + 1}`),
  );
});

test('a page that holds the last row has no cursor; a service that is not there has no rows', async (t) => {
  const address = await serveStore(t, await filled(3));
  const page = async (query: string) =>
    (await askJson<StoredRowsAnswer>(t, address, `/api/rows?${query}`)).body;
  t.is((await page('modid=-1&cmdid=2&limit=3')).cursor, null);
  t.deepEqual(await page('modid=9&cmdid=9'), { rows: [], cursor: null });
});

test('rows come as CSV', async (t) => {
  const address = await serveStore(t, await filled(1));
  const { headers, body } = await ask(address, '/api/rows?modid=-1&cmdid=2&format=csv');
  t.is(headers['content-type'], 'text/csv; charset=utf-8');
  t.is(
    body,
    'modid,cmdid,ip,port,caller,succ,err,ts,overload\r\n-1,2,192.168.0.1,80,255.255.255.255,6,7,8,true\r\n',
  );
});

for (const query of [
  'modid=1',
  'cmdid=2',
  '',
  'modid=1&cmdid=2147483648',
  'modid=1&cmdid=2&cmdid=3',
  'modid=1&cmdid=2&limit=0',
  'modid=1&cmdid=2&limit=1001',
  'modid=1&cmdid=2&cursor=1_2',
  'modid=1&cmdid=2&host=10.0.0.1',
]) {
  test(`rows that are asked for wrongly are 400, in words: ${query}`, async (t) => {
    const address = await serveStore(t, await filled(1));
    const { status, body } = await askJson(t, address, `/api/rows?${query}`);
    t.is(status, 400);
    t.regex(body.error, /^(modid|cmdid|limit|cursor|host) is /);
  });
}

test('a store that is away is 503 with its class; one that cannot be read is 404', async (t) => {
  const away = await serveStore(
    t,
    reading(async function* () {
      for (const each of [row(), undefined]) {
        if (!each) throw new StoreError('retry', 'ECONNREFUSED', 'mysql://db: connection refused');
        yield each;
      }
    }),
  );
  const reply = await ask(away, '/api/rows?modid=1&cmdid=2');
  t.is(reply.status, 503);
  t.is(reply.headers['retry-after'], '5');
  t.deepEqual(JSON.parse(reply.body), {
    error: 'mysql://db: connection refused',
    class: 'retry',
    code: 'ECONNREFUSED',
  });
  const store = new MemoryStore();
  const unreadable = await serveStore(t, {
    description: 'blind',
    open: () => store.open(),
    check: () => store.check(),
    close: () => store.close(),
    writer: (lane) => store.writer(lane),
  });
  t.is((await ask(unreadable, '/api/rows?modid=1&cmdid=2')).status, 404);
  t.is((await ask(await serveStore(t, undefined), '/api/rows?modid=1&cmdid=2')).status, 503);
});

test('no more than four read the store at a time; a fifth is told to come back', async (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  let allBegun = () => {};
  const four = new Promise<void>((resolve) => {
    allBegun = resolve;
  });
  const address = await serveStore(
    t,
    reading(async function* () {
      if (++begun === 4) allBegun();
      await held;
      yield row();
    }),
  );
  const query = '/api/rows?modid=1&cmdid=2';
  const readings = Array.from({ length: 4 }, () => ask(address, query));
  await four;
  const refused = await ask(address, query);
  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '1');
  release();
  for (const reading of readings) t.is((await reading).status, 200);
  t.is((await ask(address, query)).status, 200);
});
