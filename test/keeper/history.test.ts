import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import { parseIpv4 } from '../../src/index.js';
import { until } from '../../src/testing/until.js';
import type { HistoryAnswer } from '../../src/view/history-shapes.js';
import type { ChangesAnswer, IncidentsAnswer } from '../../src/view/shapes.js';
import { BOUND_MS, KeptSite } from './site.js';

const SERVICE = { modid: 4242, cmdid: 17 };
const SAY_MS = 200;

/** An agent that says the same again and again, over whatever connection it has. */
async function startAgent(t: ExecutionContext, port: number) {
  const agent = { isSick: true };
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  const timer = setInterval(() => {
    const host = { ip: parseIpv4('10.2.0.7')!, port: 80, succ: 50, err: 0, overload: agent.isSick };
    const ts = Math.floor(Date.now() / 1000);
    socket.write(encodeReportFrame({ ...SERVICE, caller: parseIpv4('10.9.0.1')!, ts, results: [host] }));
  }, SAY_MS);
  t.teardown(() => {
    clearInterval(timer);
    socket.destroy();
  });
  return agent;
}

test('an incident goes on through a crash and a hand-over: it begins once, and ends once', async (t) => {
  const site = await KeptSite.start(t, { LARS_VIEW_HOLD_S: '2' });
  const agent = await startAgent(t, site.port);
  const running = () => site.ask<IncidentsAnswer>('/api/incidents?open=true&host=10.2.0.7');
  const incidentSeen = () =>
    until(async () => (await running()).incidents?.[0], { boundMs: BOUND_MS, what: 'the incident' });
  const { id, began } = await incidentSeen();
  const { tick } = await running();
  // It has been written by the next second.
  await until(async () => (await running()).tick > tick + 1, { boundMs: BOUND_MS, what: 'two ticks' });
  await site.crash();
  t.like(await incidentSeen(), { id, began });
  await site.handOver();
  t.like(await incidentSeen(), { id, began });
  // Until it is heard again: an incident that is waited for runs, too.
  const since = () => site.ask<{ summary?: { since: string | null } }>('/api/services/4242/17');
  await until(async () => (await since()).summary?.since === began, {
    boundMs: BOUND_MS,
    what: 'it to go on',
  });
  agent.isSick = false;
  await until(async () => (await running()).incidents?.length === 0, { boundMs: BOUND_MS, what: 'its end' });
  const all = await site.ask<IncidentsAnswer>('/api/incidents?host=10.2.0.7');
  t.deepEqual(
    all.incidents.map((one) => [one.id, one.began]),
    [[id, began]],
  );
  const { events } = await site.ask<ChangesAnswer>(
    '/api/changes?host=10.2.0.7&kind=incident-began,incident-ended',
  );
  t.deepEqual(
    events.map(({ kind, incident }) => [kind, incident]),
    [
      ['incident-ended', id],
      ['incident-began', id],
    ],
  );
  const history = await site.ask<HistoryAnswer>('/api/history?modid=4242&cmdid=17&step=1m');
  t.true(history.coverage.some((share) => share > 0 && share < 1) || history.coverage.includes(0));
  t.is((await site.cli.stop()).code, 0);
});
