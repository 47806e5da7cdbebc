import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { rowsOf, until, World } from '../../src/testing/index.js';
import type { ServiceEvent, ServicesEvent } from '../../src/view/event-shapes.js';
import { type ViewEvent, ViewRefusal, ViewUnavailable } from '../../src/view/live.js';
import type { CallersAnswer, Change, ServicesAnswer } from '../../src/view/shapes.js';
import { Followers } from '../../src/view/thread/followers.js';
import type { TickMessage } from '../../src/view/thread/view-thread.js';
import { row } from '../support/rows.js';
import { tempDir } from '../support/temp.js';
import { BOUND, from, startThread } from './worker.js';

const HOST = { modid: 4242, cmdid: 17, ip: 0x0a020007, port: 80 };
const caller = (number: number) => 0x0a090000 + number;
const calm = (number: number, change = {}) => row({ ...HOST, caller: caller(number), ...change });

/** A thread, and followers of it. */
async function startFollowed(t: ExecutionContext, given: Parameters<typeof startThread>[1] = {}) {
  const told: { followers?: Followers } = {};
  const started = await startThread(t, {
    ...given,
    onTick: (message: TickMessage) => told.followers?.tell(message),
    onUp: () => void told.followers?.followAgain(),
  });
  const followers = new Followers(started.thread);
  told.followers = followers;
  return { ...started, followers };
}

/** The data of the events of one kind. */
function dataOf<Data>(events: readonly ViewEvent[], event: ViewEvent['event']): Data[] {
  return events.filter((one) => one.event === event).map(({ data }) => JSON.parse(data) as Data);
}

test('a follower of services is told everything at first, and then what differs', async (t) => {
  const { feed, followers, ticked } = await startFollowed(t);
  feed.journaled(0, from(1, [calm(1), row({ ...calm(1), cmdid: 18 })]));
  await ticked();
  const events: ViewEvent[] = [];
  await followers.follow('view=services&sort=name', (event) => events.push(event));
  const [full] = dataOf<ServicesEvent>(events, 'services');
  t.like(full, { full: true, total: 2, order: ['4242/17', '4242/18'], gone: [] });
  t.is(full?.rows.length, 2);

  feed.journaled(0, from(1, [calm(1, { overload: true })]));
  const next = await until(
    () => {
      const [, ...later] = dataOf<ServicesEvent>(events, 'services');
      return later.find(({ rows }) => rows.some(({ level }) => level === 'outage'));
    },
    { ...BOUND, what: 'a change' },
  );
  t.like(next, { full: false, total: 2, counts: { outage: 1 } });
  t.deepEqual(
    next.rows.filter(({ level }) => level !== full?.rows[0]?.level).map(({ cmdid, level }) => [cmdid, level]),
    [[17, 'outage']],
  );
  const [began] = dataOf<Change>(events, 'change');
  t.like(began, { kind: 'incident-began', modid: 4242, cmdid: 17 });
  t.deepEqual(
    events.map(({ id }) => id),
    [...events.map(({ id }) => id)].sort((a, b) => a - b),
  );
});

test('nothing is told while nothing differs', async (t) => {
  const { feed, followers, ticked } = await startFollowed(t);
  feed.journaled(0, from(1, [calm(1)]));
  await ticked();
  const events: ViewEvent[] = [];
  await followers.follow('view=services', (event) => events.push(event));
  await ticked();
  await ticked();
  // The age of what is shown may be told, and the next ten seconds may have begun.
  t.true(events.length <= 2, JSON.stringify(events));
});

test('a follower of one service is told its hosts and the rows of the matrix that differ', async (t) => {
  const { feed, followers, ticked } = await startFollowed(t);
  const second = { ...HOST, ip: 0x0a020008 };
  feed.journaled(0, from(1, [calm(1), calm(2), row({ ...second, caller: caller(1) })]));
  await ticked();
  const events: ViewEvent[] = [];
  await followers.follow('service=4242/17', (event) => events.push(event));
  const [full] = dataOf<ServiceEvent>(events, 'service');
  t.like(full, { full: true, order: ['10.2.0.7:80', '10.2.0.8:80'] });
  t.deepEqual(full?.matrix?.cells, { '10.2.0.7:80': 'kk', '10.2.0.8:80': 'k.' });

  feed.journaled(0, from(1, [calm(2, { overload: true })]));
  await until(() => dataOf<ServiceEvent>(events, 'service').length > 1, { ...BOUND, what: 'a change' });
  const [, next] = dataOf<ServiceEvent>(events, 'service');
  t.false(next?.full);
  t.deepEqual(
    next?.hosts.map(({ ip, hot }) => [ip, hot]),
    [['10.2.0.7', 1]],
  );
  // The caller that complains stands first now, so that all columns are others.
  t.deepEqual(next?.matrix?.voices, ['10.9.0.2', '10.9.0.1']);
  t.deepEqual(next?.matrix?.cells, { '10.2.0.7:80': 'Ok', '10.2.0.8:80': '.k' });
});

test('a service that nobody has reported yet can be followed', async (t) => {
  const { feed, followers } = await startFollowed(t);
  const events: ViewEvent[] = [];
  await followers.follow('service=4242/17', (event) => events.push(event));
  t.like(dataOf<ServiceEvent>(events, 'service')[0], { full: true, summary: null, order: [] });
  feed.journaled(0, from(1, [calm(1)]));
  await until(() => dataOf<ServiceEvent>(events, 'service').at(-1)?.summary, {
    ...BOUND,
    what: 'the service',
  });
  t.deepEqual(dataOf<ServiceEvent>(events, 'service').at(-1)?.order, ['10.2.0.7:80']);
});

test('names that are stored are shown as soon as they are known; those of the configuration stand above them', async (t) => {
  const { thread, feed, followers, ticked } = await startFollowed(t, { names: { '4242/18': 'configured' } });
  feed.journaled(0, from(1, [calm(1), row({ ...calm(1), cmdid: 18 }), row({ ...calm(1), modid: 7 })]));
  await ticked();
  const events: ViewEvent[] = [];
  await followers.follow('view=services&sort=name', (event) => events.push(event));
  const names = () =>
    Object.fromEntries(
      dataOf<ServicesEvent>(events, 'services').flatMap(({ rows }) =>
        rows.map(({ modid, cmdid, name }) => [`${modid}/${cmdid}`, name]),
      ),
    );
  t.deepEqual(names(), { '4242/17': null, '4242/18': 'configured', '7/17': null });
  thread.tell({
    kind: 'names',
    names: {
      byModid: new Map([[4242, '直播']]),
      byCmdid: new Map([[17, 'get']]),
    },
  });
  await until(() => names()['4242/17'] !== null, { ...BOUND, what: 'the new names' });
  t.deepEqual(names(), { '4242/17': '直播 / get', '4242/18': 'configured', '7/17': 'get' });
  thread.tell({ kind: 'names', names: { byModid: new Map(), byCmdid: new Map() } });
  await until(() => names()['4242/17'] === null, { ...BOUND, what: 'names that were removed to be gone' });
});

test('a topic that is not understood is refused, and its parameter named', async (t) => {
  const { followers } = await startFollowed(t);
  for (const [topic, why] of [
    ['view=nonsense', /view/],
    ['', /view or service/],
    ['view=services&view=changes', /view or service/],
    ['view=services&levels=outage', /levels is unknown/],
    ['service=1', /service/],
    ['service=1/2/3', /service/],
    ['view=services&snapshot=3', /snapshot/],
  ] as const)
    t.regex(
      (
        await t.throwsAsync(
          followers.follow(topic, () => {}),
          { instanceOf: ViewRefusal },
        )
      ).message,
      why,
      topic,
    );
});

test('who leaves is told nothing any more, and others of the same topic go on', async (t) => {
  const { feed, followers, ticked } = await startFollowed(t);
  const counts = [0, 0];
  const leave = await followers.follow('view=services&level=outage', () => counts[0]!++);
  await followers.follow('level=outage&view=services', () => counts[1]!++);
  t.deepEqual(counts, [1, 1]);
  leave();
  leave();
  feed.journaled(0, from(1, [calm(1, { overload: true })]));
  await ticked();
  t.is(counts[0], 1);
  t.true(counts[1]! > 1);
});

test('a thread that dies is replaced; followers are told everything again, and questions meanwhile are refused', async (t) => {
  const { thread, feed, followers, ask, ticked } = await startFollowed(t);
  feed.peer(1, '10.9.0.1');
  const events: ViewEvent[] = [];
  await followers.follow('view=services', (event) => events.push(event));
  const asked = ask('/api/services');
  await thread.kill();
  await Promise.allSettled([asked]);
  await until(() => thread.restarts === 1, { ...BOUND, what: 'its end to be noticed' });
  await t.throwsAsync(ask('/api/services'), { instanceOf: ViewUnavailable });
  await until(() => dataOf<ServicesEvent>(events, 'services').length > 1, { ...BOUND, what: 'a new thread' });
  t.true(dataOf<ServicesEvent>(events, 'services').at(-1)?.full);
  feed.journaled(0, from(1, [calm(1)]));
  await ticked();
  const { answer } = await ask<CallersAnswer>('/api/callers');
  t.is(answer.voices[0]?.lastPeer, '10.9.0.1', 'it was told who is who');
  const ids = events.map(({ id }) => id);
  t.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
    'ticks go on from those before',
  );
});

const BLOCKED = new URL(
  `data:text/javascript,${encodeURIComponent('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')}`,
);

test('a thread that hangs takes nothing from those who feed it; what does not fit is counted; it is replaced', async (t) => {
  const { thread, feed } = await startThread(t, { source: BLOCKED, lookMs: 20, ringWords: 1 << 12 });
  const rows = from(1, [calm(1), calm(2)]);
  for (let batch = 0; batch < 10_000; batch++) feed.journaled(batch % 4, rows);
  t.true(feed.droppedRows > 10_000);
  t.deepEqual([...(feed.missed?.partitions ?? [])].sort(), [0, 1, 2, 3]);
  t.is(feed.takeMissed(), undefined, 'nobody has taken in what came before');
  await t.throwsAsync(thread.request('ask', { path: '/api/services', params: {}, query: '' }), {
    instanceOf: ViewUnavailable,
  });
  await until(() => thread.restarts > 0, { ...BOUND, what: 'it to be given up' });
});

test('a thread that cannot be started is tried again, and harms nothing', async (t) => {
  const deaths: Error[] = [];
  const { thread, feed } = await startThread(t, {
    source: new URL('./no-such-file.js', import.meta.url),
    onDeath: (error) => deaths.push(error),
  });
  await until(() => thread.restarts > 1, { ...BOUND, what: 'a second attempt' });
  t.regex(deaths[0]!.message, /no-such-file/);
  feed.journaled(0, from(1, [calm(1)]));
  t.is(feed.lagS, 0);
});

test('machines that called before are gone until they are heard, or their connection is open', async (t) => {
  const machinesFile = `${tempDir(t)}/voices.json`;
  const first = await startThread(t, { machinesFile });
  for (const peer of [1, 2, 3]) {
    first.feed.peer(peer, `10.9.0.${peer}`);
    // The third one names a loopback address.
    const rows = [calm(peer, peer === 3 ? { caller: 0x7f000101 } : {})];
    first.feed.journaled(0, from(peer, rows));
  }
  await first.ticked();
  await first.thread.stop();

  const second = await startThread(t, { machinesFile });
  await second.ticked();
  const states = async () => {
    const { answer } = await second.ask<CallersAnswer>('/api/callers');
    return answer.voices.map(({ caller: name, via, state }) => [name, via, state]);
  };
  t.deepEqual(await states(), [
    ['10.9.0.1', null, 'gone'],
    ['10.9.0.2', null, 'gone'],
    ['10.9.0.3', '127.0.1.1', 'gone'],
  ]);
  const { answer } = await second.ask<CallersAnswer>('/api/callers', {}, 'state=gone');
  t.true(Math.abs(Date.parse(answer.voices[0]!.heard!) - Date.now()) < 60_000, 'with when they were heard');
  t.is(second.thread.counts?.lostAtStart, 3);

  second.feed.peer(1, '10.9.0.1');
  second.feed.journaled(0, from(1, [calm(1)]));
  second.thread.tell({ kind: 'news', connections: [['10.9.0.3', 1]], notes: [], missed: null });
  await second.ticked();
  t.deepEqual(await states(), [
    ['10.9.0.1', null, 'reporting'],
    ['10.9.0.2', null, 'gone'],
    ['10.9.0.3', '127.0.1.1', 'connected'],
  ]);
  t.is(second.thread.counts?.lostAtStart, 2);
});

for (const [what, content] of [
  ['no JSON', '{"format":1,"machines":[['],
  ['of another format', '{"format":2,"machines":[]}'],
  ['something else', '{"format":1,"machines":[["10.0.0.1",5,null,1]]}'],
  ['too large', ' '.repeat(2_000_000)],
] as const)
  test(`a file of machines that is ${what} is no error: it is said, and written anew`, async (t) => {
    const machinesFile = `${tempDir(t)}/voices.json`;
    writeFileSync(machinesFile, content);
    const complaints: string[] = [];
    const { thread, feed, ticked } = await startThread(t, {
      machinesFile,
      onComplaint: (why) => complaints.push(why),
    });
    t.is(complaints.length, 1);
    feed.journaled(0, from(1, [calm(1)]));
    await ticked();
    await thread.stop();
    t.regex(readFileSync(machinesFile, 'utf8'), /"10\.9\.0\.1"/);
  });

test('where machines cannot be kept, it is said, and the view goes on', async (t) => {
  const complaints: string[] = [];
  const { ask, ticked } = await startThread(t, {
    speed: 20,
    machinesFile: `${tempDir(t)}/missing/voices.json`,
    onComplaint: (why) => complaints.push(why),
  });
  await until(() => complaints.length > 0, { ...BOUND, what: 'a complaint' });
  await ticked();
  t.is((await ask<ServicesAnswer>('/api/services')).status, 200);
});

test('a dead host that agents report is overloaded, and stays so; one incident', async (t) => {
  const speed = 20;
  const { thread, feed, clock } = await startThread(t, { speed });
  const dead = { kind: 'sick-host', hosts: [0], fromMs: 5000 } as const;
  const startMs = clock.nowMs();
  const world = new World({ agents: 20, hosts: 5, callsPerSecond: 5, conditions: [dead], startMs });
  const moments: { second: number; overloaded: number }[] = [];
  await until(
    () => {
      const elapsedMs = clock.nowMs() - startMs;
      for (const { agent, report } of world.reportsUntil(elapsedMs)) {
        feed.peer(agent + 1, formatIpv4(world.addresses.caller(agent)));
        feed.journaled(0, from(agent + 1, rowsOf(report)));
      }
      moments.push({ second: elapsedMs / 1000, overloaded: thread.counts?.hosts.overloaded ?? 0 });
      return elapsedMs > 120_000;
    },
    { ...BOUND, what: 'two minutes to pass' },
  );
  // 30 s after the host died, and what a busy machine is late.
  const settled = moments.filter(({ second }) => second > 50);
  t.true(settled.length > 20);
  t.deepEqual([...new Set(settled.map(({ overloaded }) => overloaded))], [1]);
  t.is(thread.counts?.incidentsBegun.host, 1);
  t.is(thread.counts?.mismatches, 0);
  t.is(thread.counts?.callers.reporting, 20);
});

/** Is at work when it starts, as one that opens the history, and does what it is asked only then. */
const SLOW = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { writeFileSync } from 'node:fs';
    import { parentPort, workerData } from 'node:worker_threads';
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    parentPort.on('message', ({ kind, id }) => {
      if (kind === 'stop') writeFileSync(workerData.machinesFile, 'asked');
      parentPort.postMessage({ kind: 'reply', id, reply: null });
    });
  `)}`,
);

test('a thread that only starts is not ended in the middle of it: it is asked first', async (t) => {
  const machinesFile = path.join(tempDir(t), 'said');
  const { thread } = await startThread(t, { source: SLOW, machinesFile });
  await thread.stop();
  t.is(readFileSync(machinesFile, 'utf8'), 'asked');
});
