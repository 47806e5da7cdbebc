import test, { type ExecutionContext } from 'ava';
import { deadLetterRoutes } from '../../src/admin/dead-letters.js';
import {
  type DeadLetter,
  type DeadLetterDesk,
  DeadLetterError,
  NOTHING_DONE,
} from '../../src/model/dead-letter.js';
import { ask, askJson, serve } from './ask.js';

const PATH = '/api/dead-letters';

const LETTER: DeadLetter = {
  row: {
    modid: -1,
    cmdid: 2,
    ip: -1062731775,
    port: 80,
    caller: 167772169,
    succ: 3,
    err: 4,
    ts: 5,
    overload: true,
  },
  peer: '10.0.0.9',
  code: 'ER_X',
  message: 'is "bad"',
  firstAt: 1000,
  lastAt: 2000,
  count: 7,
};

/** Serves a desk that notes what it is asked, and does what is given. */
async function desk(t: ExecutionContext, given: Partial<DeadLetterDesk> = {}) {
  const asked: unknown[] = [];
  const routes = deadLetterRoutes(() => ({
    list: async (...question) => {
      asked.push(question);
      return { total: 12, letters: [LETTER] };
    },
    settle: async (...question) => {
      asked.push(question);
      return { replayed: 1, superseded: 2, dropped: 3, kept: 4 };
    },
    ...given,
  }));
  const { address } = await serve(t, { routes });
  const replay = (body: unknown) =>
    askJson<object>(t, address, `${PATH}/replay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { address, asked, replay };
}

test('GET /api/dead-letters lists them, filtered, a bounded number at a time', async (t) => {
  const { address, asked } = await desk(t);
  t.deepEqual(await askJson<object>(t, address, PATH), {
    status: 200,
    body: {
      total: 12,
      offset: 0,
      limit: 100,
      letters: [
        {
          modid: -1,
          cmdid: 2,
          ip: '192.168.0.1',
          port: 80,
          caller: '10.0.0.9',
          succ: 3,
          err: 4,
          ts: 5,
          overload: true,
          peer: '10.0.0.9',
          code: 'ER_X',
          message: 'is "bad"',
          count: 7,
          firstAt: '1970-01-01T00:00:01.000Z',
          lastAt: '1970-01-01T00:00:02.000Z',
        },
      ],
    },
  });
  const query = 'modid=-1&cmdid=2&caller=10.0.0.9&code=ER_X&limit=10000&offset=5';
  t.is((await ask(address, `${PATH}?${query}`)).status, 200);
  t.deepEqual(asked, [
    [{}, 0, 100],
    [{ modid: -1, cmdid: 2, caller: 167772169, code: 'ER_X' }, 5, 10_000],
  ]);
});

for (const query of [
  'limit=0',
  'limit=10001',
  'limit=x',
  'offset=-1',
  'offset=',
  'modid=2147483648',
  'modid=1.5',
  'modid=1&modid=2',
  'caller=1',
  'caller=300.0.0.1',
  'mod=1',
  'all=true',
]) {
  test(`a list that is asked for wrongly is 400, in words: ${query}`, async (t) => {
    const { address, asked } = await desk(t);
    const { status, body } = await askJson(t, address, `${PATH}?${query}`);
    t.is(status, 400);
    t.regex(body.error, new RegExp(`^${query.slice(0, query.indexOf('='))} is `));
    t.deepEqual(asked, []);
  });
}

test('POST /api/dead-letters/replay replays what the filter means, or all when that is said', async (t) => {
  const { asked, replay } = await desk(t);
  t.deepEqual(await replay({ modid: 1, cmdid: '2' }), {
    status: 200,
    body: { replayed: 1, superseded: 2, kept: 4 },
  });
  t.is((await replay({ all: true })).status, 200);
  t.deepEqual(asked, [
    ['replay', { modid: 1, cmdid: 2 }],
    ['replay', {}],
  ]);
});

test('DELETE /api/dead-letters drops what the filter means, or all when that is said', async (t) => {
  const { address, asked } = await desk(t);
  const drop = (query: string) => askJson<object>(t, address, `${PATH}${query}`, { method: 'DELETE' });
  t.deepEqual(await drop('?caller=10.0.0.9'), { status: 200, body: { dropped: 3 } });
  t.is((await drop('?all=true')).status, 200);
  for (const wrong of ['', '?all=false', '?all', '?all=yes', '?all=true&modid=1', '?cod=ER_X', '?limit=1'])
    t.is((await drop(wrong)).status, 400, wrong);
  t.deepEqual(asked, [
    ['drop', { caller: 167772169 }],
    ['drop', {}],
  ]);
});

test('what would mean everything by mistake is 400: no filter, an empty one, a mistyped one', async (t) => {
  const { address, asked, replay } = await desk(t);
  for (const body of [
    {},
    null,
    [],
    1,
    { all: false },
    { all: 1 },
    { modId: 1 },
    { all: true, code: 'X' },
    { code: 1 },
  ])
    t.is((await replay(body)).status, 400, JSON.stringify(body));
  t.is((await ask(address, `${PATH}/replay`, { method: 'POST' })).status, 400);
  t.deepEqual(asked, []);
});

test('what was done before it failed is part of the answer', async (t) => {
  const { replay } = await desk(t, {
    settle: () =>
      Promise.reject(new DeadLetterError('writer 1 has stopped', { ...NOTHING_DONE, replayed: 5 })),
  });
  t.deepEqual(await replay({ all: true }), {
    status: 503,
    body: { error: 'writer 1 has stopped', replayed: 5, superseded: 0, dropped: 0, kept: 0 },
  });
});

test('while starting, dead letters are 503', async (t) => {
  const { address } = await serve(t, { routes: deadLetterRoutes(() => undefined) });
  t.is((await ask(address, PATH)).status, 503);
  t.is((await ask(address, `${PATH}?all=true`, { method: 'DELETE' })).status, 503);
});

test('pages of other sites cannot drop or replay', async (t) => {
  const { address, asked } = await desk(t);
  const headers = { origin: 'https://evil.example', host: `127.0.0.1:${address.port}` };
  t.is((await ask(address, `${PATH}?all=true`, { method: 'DELETE', headers })).status, 403);
  t.is((await ask(address, `${PATH}/replay`, { method: 'POST', headers })).status, 403);
  t.deepEqual(asked, []);
});
