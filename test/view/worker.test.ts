import test from 'ava';
import { until } from '../../src/testing/index.js';
import { VIEW_PATHS } from '../../src/view/live.js';
import type { CallersAnswer, ServiceAnswer, ServicesAnswer } from '../../src/view/shapes.js';
import { DEFAULT_SETTINGS } from '../../src/view/view-settings.js';
import { row } from '../support/rows.js';
import { BOUND, from, startThread } from './worker.js';

const HOST = { modid: 4242, cmdid: 17, ip: 0x0a020007, port: 80 };
const CALLER = 0x0a090003;

test('what is journaled is in the answers at the next tick', async (t) => {
  const { feed, ask, ticked } = await startThread(t);
  feed.peer(3, '10.9.0.3');
  feed.journaled(0, from(3, [row({ ...HOST, caller: CALLER, succ: 7, err: 2, overload: true })]));
  await ticked();
  const { status, answer } = await ask<ServiceAnswer>(
    '/api/services/:modid/:cmdid',
    { modid: '4242', cmdid: '17' },
    'caller=10.9.0.3',
  );
  t.is(status, 200);
  t.like(answer.rows?.[0], { caller: '10.9.0.3', succ: 7, err: 2, overload: true, source: 'live' });
  t.is(answer.voices[0]?.lastPeer, '10.9.0.3');
});

test('rows are copied: the memory they came in can be used again at once', async (t) => {
  const { feed, ask, ticked } = await startThread(t);
  const words = from(1, [row({ ...HOST, caller: CALLER, succ: 7 })]);
  feed.journaled(0, words);
  words.fill(99);
  await ticked();
  const { answer } = await ask<ServicesAnswer>('/api/services');
  t.deepEqual(
    answer.services.map(({ modid, cmdid }) => [modid, cmdid]),
    [[4242, 17]],
  );
});

test('each path is answered; what cannot be is told with its status and why', async (t) => {
  const { feed, ask, ticked } = await startThread(t);
  feed.journaled(0, from(1, [row({ ...HOST, caller: CALLER })]));
  await ticked();
  const params = { modid: '4242', cmdid: '17', ip: '10.2.0.7' };
  for (const path of VIEW_PATHS) {
    const found = path === '/api/callers/:ip' ? { ip: '10.9.0.3' } : params;
    const query = path === '/api/history' ? 'modid=4242&cmdid=17' : '';
    t.is((await ask(path, found, query)).status, 200, path);
    t.like(await ask(path, found, 'nonsense=1'), { status: 400 }, path);
  }
  t.deepEqual(await ask('/api/services/:modid/:cmdid', { modid: '1', cmdid: '1' }), {
    status: 404,
    answer: { error: 'no agent has reported service 1/1' },
  });
  t.is((await ask('/api/services', {}, 'snapshot=999999')).status, 410);
});

test('settings and names change while it runs: answers go by the new ones from the next tick on', async (t) => {
  const { thread, feed, ask, ticked } = await startThread(t);
  feed.peer(3, '10.9.0.3');
  for (const succ of [1, 2]) {
    feed.journaled(0, from(3, [row({ ...HOST, caller: CALLER, succ, err: succ })]));
    await ticked();
  }
  const before = await ask<ServicesAnswer>('/api/services');
  t.like(before.answer.services[0], { name: null, level: 'ok' });
  thread.tell({
    kind: 'set',
    settings: { ...DEFAULT_SETTINGS, minCalls: 1 },
    names: { '4242': 'live list' },
  });
  // Calls count at the end of their ten seconds.
  const level = async () => (await ask<ServicesAnswer>('/api/services')).answer.services[0]?.level;
  t.true(await until(async () => (await level()) === 'failing', { ...BOUND, what: 'the errors to count' }));
});

test('reports that name a loopback address are told apart by where they come from, from the first one on', async (t) => {
  const { feed, ask, ticked } = await startThread(t);
  for (const peer of [1, 2]) {
    feed.peer(peer, `10.9.0.${peer}`);
    feed.journaled(0, from(peer, [row({ ...HOST, caller: 0x7f000101 })]));
  }
  await ticked();
  const { answer } = await ask<CallersAnswer>('/api/callers');
  t.deepEqual(
    answer.voices.map(({ caller, via }) => [caller, via]),
    [
      ['10.9.0.1', '127.0.1.1'],
      ['10.9.0.2', '127.0.1.1'],
    ],
  );
});
