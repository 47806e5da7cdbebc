import test from 'ava';
import { listCallers } from '../../src/view/query/list-callers.js';
import { listIncidents } from '../../src/view/query/list-incidents.js';
import { listServices } from '../../src/view/query/list-services.js';
import { DEFAULT_SETTINGS } from '../../src/view/view-settings.js';
import { World } from './world.js';

const HOST = '10.0.0.1:80';

function relapsesOf({ view }: World): number {
  return listIncidents(view, new URLSearchParams('host=10.0.0.1:80')).incidents[0]!.relapses;
}

function isShared({ view }: World, caller: string): boolean | undefined {
  return listCallers(view, new URLSearchParams(`q=${caller}`)).voices[0]?.shared;
}

test('a flag of the table is a relapse of the incident that it was reported in, and of no later one', (t) => {
  const world = new World({ freshS: 20 });
  for (const caller of ['10.9.0.1', '10.9.0.2']) world.read({ caller, hosts: { [HOST]: [1, 0] } });
  world.pass(100);
  world.say({ caller: '10.9.0.3', hosts: { [HOST]: [0, 0, true] } });
  world.tick();
  world.read({ caller: '10.9.0.1', lateS: 50, hosts: { [HOST]: [1, 0, true] } });
  world.tick();
  t.is(relapsesOf(world), 0);
  world.pass(40, () => world.say({ caller: '10.9.0.3', hosts: { [HOST]: [0, 0, true] } }));
  world.read({ caller: '10.9.0.2', lateS: 30, hosts: { [HOST]: [1, 0, true] } });
  world.tick();
  t.is(relapsesOf(world), 1);
});

test('a name that changes is shown at the next tick, also of a service that stands as before', (t) => {
  const world = new World();
  world.say({ hosts: { [HOST]: [1, 0] } });
  world.tick();
  const name = () => listServices(world.view, new URLSearchParams()).services[0]?.name;
  t.is(name(), null);
  world.view.set(DEFAULT_SETTINGS, () => 'live list');
  world.tick();
  t.is(name(), 'live list');
});

test('a service of the table is live at the tick after its first report', (t) => {
  const world = new World();
  world.read({ hosts: { [HOST]: [1, 0] } });
  world.tick();
  t.is(listServices(world.view, new URLSearchParams('state=table')).services[0]?.state, 'table');
  world.say({ hosts: { [HOST]: [3, 0] } });
  world.tick();
  t.is(listServices(world.view, new URLSearchParams()).services[0]?.state, 'live');
});

for (const [other, caller, peers] of [
  ['another loopback address', '127.0.1.1', ['10.8.0.1', '10.8.0.2']],
  ['its own address', '127.0.1.1', ['10.8.0.1', '10.8.0.2']],
  ['a loopback address', '10.8.0.1', ['10.8.0.1', '10.8.0.9']],
] as const)
  test(`a key that changes hands stays shared although a machine calls itself by ${other} for a while`, (t) => {
    const world = new World();
    const write = (peer: string, name: string = caller) => {
      world.say({ caller: name, peer, hosts: { [HOST]: [1, 0] } });
      world.pass(1);
    };
    const [first, second] = peers;
    const meanwhile = { 'its own address': first, 'another loopback address': '0.0.0.0' } as const;
    write(first);
    write(second);
    t.false(isShared(world, '10.8.0.1'));
    write(first, other === 'a loopback address' ? '127.0.1.1' : meanwhile[other]);
    write(first);
    t.true(isShared(world, '10.8.0.1'));
  });

test('a machine that calls itself otherwise leaves nothing behind for the host that has its place later', (t) => {
  const world = new World({ forgetS: 900 });
  const write = (peer: string, name = '127.0.1.1') => {
    world.say({ caller: name, peer, hosts: { [HOST]: [1, 0] } });
    world.pass(1);
  };
  write('10.8.0.1');
  write('10.8.0.2');
  write('10.8.0.1', '0.0.0.0');
  world.pass(1_000);
  t.is(listCallers(world.view, new URLSearchParams()).total, 0);
  write('10.8.0.3');
  write('10.8.0.4');
  t.false(isShared(world, '10.8.0.4'));
});

test('a blackout ends when the flag of the first of its hosts was last reported, not a minute later', (t) => {
  const world = new World();
  const hosts = ['10.0.0.1:80', '10.0.0.2:80'];
  const say = (isOn: boolean) =>
    world.say({ hosts: Object.fromEntries(hosts.map((host) => [host, [1, 0, isOn]])) });
  const ended = () =>
    listIncidents(world.view, new URLSearchParams()).incidents.find(({ kind }) => kind === 'blackout')?.ended;
  say(false);
  world.tick();
  world.pass(30, () => say(true));
  const lastS = world.now;
  t.is(ended(), null);
  world.pass(50, () => say(false));
  t.is(ended(), null, 'it is held');
  world.pass(20, () => say(false));
  t.true(Math.abs(Date.parse(ended()!) / 1000 - lastS) <= 1);
});
