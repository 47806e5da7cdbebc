import test from 'ava';
import { MAX_SERVICES_WITH_SERIES, serviceSeries } from '../../src/view/query/service-series.js';
import { parsePrometheus } from '../admin/prometheus.js';
import { World } from './world.js';

const HOST = '10.0.0.1:80';

/** Values of one family, without the prefix of names, by labels as written. */
function seriesOf({ view }: World, name: string): ReadonlyMap<string, number> {
  const { samples } = parsePrometheus(serviceSeries(view)).get(`lars_reporter_${name}`)!;
  return new Map([...samples].map(([sample, value]) => [sample.replace(`lars_reporter_${name}`, ''), value]));
}

test('each service has its level, its hosts and its callers', (t) => {
  const world = new World();
  world.say({ modid: 4242, cmdid: -17, hosts: { [HOST]: [0, 0, true], '10.0.0.2:80': [9, 0] } });
  world.say({ modid: 4242, cmdid: -17, caller: '10.9.0.2', hosts: { '10.0.0.2:80': [9, 0] } });
  world.say({ modid: 5, cmdid: 6, hosts: { [HOST]: [0, 0, true] } });
  world.tick();
  const one = '{modid="4242",cmdid="-17"}';
  const other = '{modid="5",cmdid="6"}';
  for (const [name, value, otherValue] of [
    ['service_level', 3, 4],
    ['service_hosts', 2, 1],
    ['service_hosts_overloaded', 1, 1],
    ['service_callers', 2, 1],
    ['service_callers_blacked_out', 0, 1],
  ] as const) {
    const values = seriesOf(world, name);
    t.is(values.get(one), value, name);
    t.is(values.get(other), otherValue, name);
  }
});

test('calls and errors only rise, and none is missed, however even the traffic is', (t) => {
  const world = new World();
  let before = 0;
  let said = 0;
  // Windows begin anew, as agents let them.
  for (let second = 0; second < 600; second++) {
    const succ = (second % 15) * 10;
    world.say({ hosts: { [HOST]: [succ, second % 15] } });
    // Of the first report, nobody knows what of it is new.
    if (second > 0 && second % 15 > 0) said += 11;
    world.pass(1);
    const now = seriesOf(world, 'service_calls_total').get('{modid="1",cmdid="2"}')!;
    t.true(now >= before);
    before = now;
  }
  world.pass(10);
  t.is(seriesOf(world, 'service_calls_total').get('{modid="1",cmdid="2"}'), said);
  t.is(seriesOf(world, 'service_errors_total').get('{modid="1",cmdid="2"}'), said / 11);
});

test('where a share of the callers is looked at, calls are those of all of them', (t) => {
  const world = new World({ maxRows: 1000 });
  const callers = Array.from({ length: 4000 }, (_, index) => `10.9.${index >> 8}.${index & 255}`);
  for (const succ of [10, 20]) {
    for (const caller of callers) world.say({ caller, hosts: { [HOST]: [succ, 0] } });
    world.pass(10);
  }
  const calls = seriesOf(world, 'service_calls_total').get('{modid="1",cmdid="2"}')!;
  t.true(world.view.state.sampling.share < 1);
  t.true(calls > 30_000 && calls < 50_000, `${calls} of 40000`);
});

test('a service that lists leave out has no series', (t) => {
  const world = new World({ hideS: 100 });
  world.say({ hosts: { [HOST]: [1, 0] } });
  world.pass(1);
  t.is(seriesOf(world, 'service_level').size, 1);
  world.pass(110);
  t.is(seriesOf(world, 'service_level').size, 0);
  t.is(seriesOf(world, 'services_omitted').get(''), 0);
});

test('of too many services those in trouble have series, and always the same of the others', (t) => {
  const world = new World();
  const count = MAX_SERVICES_WITH_SERIES + 300;
  const say = (modid: number, overload: boolean) =>
    world.say({ modid, hosts: { [HOST]: [modid % 50, 0, overload] } });
  for (let modid = 1; modid <= count; modid++) say(modid, modid > count - 10);
  world.tick();
  const known = () => [...seriesOf(world, 'service_level').keys()];
  t.is(known().length, MAX_SERVICES_WITH_SERIES);
  t.is(seriesOf(world, 'services_omitted').get(''), 300);
  t.true(known().includes(`{modid="${count}",cmdid="2"}`));
  t.true(known().includes('{modid="1",cmdid="2"}'));
  t.false(known().includes(`{modid="${count - 20}",cmdid="2"}`));
  for (let modid = 1; modid <= count; modid++) say(modid, true);
  world.tick();
  t.is(known().length, count, 'none that is in trouble is left out');
  t.is(seriesOf(world, 'services_omitted').get(''), 0);
});

test('names stand in a label, whatever they hold; services without one have no such label', (t) => {
  const world = new World({}, { '1/2': 'live "list" \\ 直播\nsecond line' });
  world.say({ hosts: { [HOST]: [1, 0] } });
  world.say({ modid: 3, hosts: { [HOST]: [1, 0] } });
  world.tick();
  t.deepEqual([...seriesOf(world, 'service_hosts').keys()].sort(), [
    '{modid="1",cmdid="2",name="live \\"list\\" \\\\ 直播 second line"}',
    '{modid="3",cmdid="2"}',
  ]);
});
