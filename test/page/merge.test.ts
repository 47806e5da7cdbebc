import test from 'ava';
import { applyService, applyServices, listOf, type ServiceList } from '../../src/page/pure/stream-merge.js';
import type { ServiceEvent, ServicesEvent } from '../../src/view/event-shapes.js';
import { listServices } from '../../src/view/query/list-services.js';
import { showService } from '../../src/view/query/show-service.js';
import type { ServiceAnswer } from '../../src/view/shapes.js';
import { Topics } from '../../src/view/worker/topics.js';
import { World } from '../view/world.js';

const NONE = new URLSearchParams();
const SERVICES = 'view=services&limit=2';
const SERVICE = 'service=1/2';

/** A world that changes at each step: flags come and go, callers and hosts come. */
function step(world: World, at: number): void {
  world.say({ cmdid: 2, hosts: { '10.0.0.1:80': [at, 1, at % 3 === 0], '10.0.0.2:80': [at, 0] } });
  if (at > 5) world.say({ cmdid: 3, caller: '10.9.0.2', hosts: { '10.0.1.1:80': [0, at, at % 2 === 0] } });
  if (at > 8) world.say({ cmdid: 2, caller: '10.9.0.3', hosts: { '10.0.0.3:80': [1, 0] } });
  if (at > 12) world.say({ cmdid: 4, caller: '10.9.0.4', hosts: { '10.0.2.1:80': [1, 0, true] } });
  world.pass(at % 4 === 0 ? 20 : 1);
}

test('the list put together from the stream is the list of the API', (t) => {
  const world = new World();
  step(world, 0);
  const topics = new Topics(world.view);
  let list: ServiceList | undefined;
  for (const { data } of topics.follow(SERVICES))
    list = applyServices(list, JSON.parse(data) as ServicesEvent);
  for (let at = 1; at < 24; at++) {
    step(world, at);
    for (const [, { data }] of topics.update()) list = applyServices(list, JSON.parse(data) as ServicesEvent);
    const { asOf: _, tick: __, ...answer } = listOf(listServices(world.view, new URLSearchParams('limit=2')));
    const { asOf: ___, tick: ____, ...shown } = list!;
    t.deepEqual(withoutHeard(shown), withoutHeard(answer), `step ${at}`);
  }
});

test('the service put together from the stream is the service of the API', (t) => {
  const world = new World();
  step(world, 0);
  const topics = new Topics(world.view);
  let known: ServiceAnswer | undefined;
  const take = (data: string) => {
    const next = applyService(known, JSON.parse(data) as ServiceEvent);
    t.not(next, undefined);
    if (next !== undefined && next !== 'gone') known = next;
  };
  for (const { data } of topics.follow(SERVICE)) take(data);
  for (let at = 1; at < 24; at++) {
    step(world, at);
    for (const [, { data }] of topics.update()) take(data);
    const { asOf: _, tick: __, ...answer } = showService(world.view, 1, 2, NONE);
    const { asOf: ___, tick: ____, ...shown } = known!;
    t.deepEqual(withoutHeard(shown), withoutHeard(answer), `step ${at}`);
  }
});

test('an event that builds on what is not there asks for everything', (t) => {
  const world = new World();
  step(world, 0);
  const [event] = new Topics(world.view).follow(SERVICES);
  const full = JSON.parse(event!.data) as ServicesEvent;
  t.is(applyServices(undefined, { ...full, full: false }), undefined);
  t.is(applyServices(undefined, { ...full, rows: [] }), undefined);
  const [one] = new Topics(world.view).follow(SERVICE);
  const service = JSON.parse(one!.data) as ServiceEvent;
  const { matrix: _, ...without } = service;
  t.is(applyService(undefined, without), undefined);
  t.is(applyService(undefined, { ...service, summary: null }), 'gone');
});

/** Differences of some seconds in when something was last heard are not told. */
function withoutHeard(value: unknown): unknown {
  const plain = JSON.stringify(value, (name, each: unknown) =>
    /^(lastHeard|lastCall|heard|changed|skewS)$/.test(name)
      ? undefined
      : each instanceof Map
        ? [...each].sort(([a], [b]) => (a < b ? -1 : 1))
        : each,
  );
  return JSON.parse(plain) as unknown;
}
