import test from 'ava';
import { formatIpv4 } from '../../src/model/ipv4.js';
import type { SickHost } from '../../src/simulation/index.js';
import type { HistoryAnswer } from '../../src/view/history-shapes.js';
import { listChanges } from '../../src/view/query/list-changes.js';
import { listIncidents } from '../../src/view/query/list-incidents.js';
import { showHistory } from '../../src/view/query/show-history.js';
import { tempDir } from '../support/temp.js';
import { liveThrough } from './day.js';

const HOUR = 3_600;
const CLOSE_S = 15;

interface Planned {
  readonly service: number;
  readonly host: number;
  readonly from: number;
  readonly to: number;
}

const sick = ({ service, host, from, to }: Planned): SickHost => ({
  ...{ kind: 'sick-host', services: [service], hosts: [host], fromMs: from * 1000, toMs: to * 1000 },
});

test('a day of agents: each planned incident is in the history once, across crashes and a hand-over in its middle; minutes nobody saw are gaps', async (t) => {
  const planned: Planned[] = [
    { service: 0, host: 1, from: HOUR, to: HOUR + 600 },
    { service: 1, host: 3, from: 3 * HOUR, to: 3 * HOUR + 90 },
    // A crash in its middle.
    { service: 0, host: 2, from: 6 * HOUR, to: 6 * HOUR + 1_200 },
    // Over before the process is back: the next one has to know how far it went.
    { service: 1, host: 0, from: 9 * HOUR, to: 9 * HOUR + 300 },
    // A hand-over in its middle.
    { service: 1, host: 2, from: 12 * HOUR, to: 12 * HOUR + 900 },
    { service: 0, host: 0, from: 15 * HOUR, to: 15 * HOUR + 240 },
    { service: 0, host: 0, from: 16 * HOUR, to: 16 * HOUR + 240 },
    // Runs at the end.
    { service: 1, host: 1, from: 23 * HOUR, to: 25 * HOUR },
  ];
  const crash = { at: 6 * HOUR + 400, awayS: 205 };
  const second = { at: 9 * HOUR + 326, awayS: 60 };
  const day = await liveThrough({
    ...{ dir: tempDir(t), seconds: 24 * HOUR, agents: 6, services: 2, hosts: 5, callsPerSecond: 3 },
    conditions: planned.map(sick),
    crashes: [crash, second],
    handOvers: [12 * HOUR + 450],
  });
  t.teardown(() => day.keeping.close());
  const { world, startS, view, keeping } = day;
  const ask = (query: string) => new URLSearchParams(query);
  const { incidents, cursor } = listIncidents(view, ask('limit=1000'), keeping.reader);
  t.is(cursor, null);
  const ofHosts = incidents.filter(({ kind }) => kind === 'host');
  const seconds = (time: string) => Date.parse(time) / 1000 - startS;
  for (const plan of planned) {
    const { ip, port } = world.addresses.host(plan.service, plan.host);
    const name = `${formatIpv4(ip)}:${port}`;
    // What agents say follows what is so: they notice a host that is well again at its next call after 15 s.
    const isOfPlan = (at: number) => at >= plan.from && at <= plan.to + 60;
    const said = day.flagged.get(name)?.filter(isOfPlan) ?? [];
    t.true(said[0]! - plan.from <= 20 && Math.abs(said.at(-1)! - Math.min(plan.to, 24 * HOUR)) <= 30);
    const found = ofHosts.filter(({ host, began }) => host === name && isOfPlan(seconds(began)));
    t.is(found.length, 1, JSON.stringify({ plan, found }));
    const [one] = found;
    const shown = JSON.stringify({ plan, one, first: said[0], last: said.at(-1) });
    t.true(Math.abs(seconds(one!.began) - said[0]!) <= CLOSE_S, shown);
    if (plan.to > 24 * HOUR) t.is(one!.ended, null);
    else t.true(Math.abs(seconds(one!.ended!) - said.at(-1)!) <= CLOSE_S, shown);
  }
  t.is(ofHosts.length, planned.length, 'there were no others');
  t.is(new Set(incidents.map(({ id }) => id)).size, incidents.length);

  const changes = [];
  for (let before = ''; ; ) {
    const page = listChanges(
      view,
      ask(`limit=1000&kind=incident-began,incident-ended${before}`),
      keeping.reader,
    );
    changes.push(...page.events);
    if (page.cursor === null) break;
    before = `&before=${page.cursor}`;
  }
  for (const { id, ended } of ofHosts) {
    const told = changes.filter(({ incident }) => incident === id).map(({ kind }) => kind);
    t.deepEqual(told, ended === null ? ['incident-began'] : ['incident-ended', 'incident-began'], `${id}`);
  }

  const iso = (at: number) => new Date((startS + at) * 1000).toISOString();
  const service = `modid=${world.addresses.modid(0)}&cmdid=${world.addresses.cmdid(0)}`;
  const series = (from: number, to: number, step: string): HistoryAnswer =>
    showHistory(view, ask(`${service}&from=${iso(from)}&to=${iso(to)}&step=${step}`), keeping.reader);
  const around = series(6 * HOUR + 300, 6 * HOUR + 780, '1m');
  // Of the minute it was killed in, nothing had been written.
  t.deepEqual(
    around.coverage.map((share) => Math.round(share * 60)),
    [60, 0, 0, 0, 0, 56, 60, 60],
  );
  const isGap = [false, true, true, true, true, false, false, false];
  for (const values of [around.calls, around.errs, around.overloaded, around.callers, around.level])
    t.deepEqual(
      values.map((value) => value === null),
      isGap,
    );
  t.is(around.overloaded[7], 1);
  const [made] = series(2 * HOUR, 2 * HOUR + 600, '10m').calls;
  const expected = 6 * 3 * 600;
  t.true(Math.abs(made! - expected) < expected / 5, `${made} calls of ${expected}`);
  const whole = series(0, 24 * HOUR, '1m');
  t.is(whole.t.length, 1_440);
  const gaps = whole.calls.flatMap((calls, minute) => (calls === null ? [minute] : []));
  t.deepEqual(gaps, [366, 367, 368, 369, 545]);
  const handedOver = series(12 * HOUR + 420, 12 * HOUR + 480, '1m');
  t.deepEqual(handedOver.coverage, [1]);
  t.true(Math.abs(handedOver.calls[0]! - 6 * 3 * 60) < 6 * 3 * 60 * 0.4, `${handedOver.calls[0]} calls`);
});
