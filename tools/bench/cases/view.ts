import { setTimeout as sleep } from 'node:timers/promises';
import type { Row, ServiceAnswer, ServicesAnswer } from '../../../src/index.js';
import { type Case, expectBalanced, expectSame, quantile, WrongResult } from '../case.js';
import type { LoadApi } from '../processes/load.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const ROWS_PER_SECOND = 200_000;
/** Of these, for the service that many call. */
const CROWD_SHARE = 0.05;
/** Reports in a write: that many agents' share of the machine is left to what is measured. */
const TOGETHER = 20;
/** Counters go up so often, then begin again: a window of the agents. */
const VERSIONS = 3;
/** The first service of all agents; the crowd reports no other one. */
const CROWDED = '/api/services/1/1';

interface Asked {
  readonly line: string;
  readonly path: string;
}

const ASKED: readonly Asked[] = [
  { line: 'V list', path: '/api/services?limit=50' },
  { line: 'V search', path: '/api/services?q=10.0.1' },
  { line: 'V service', path: CROWDED },
];

/** V: what people ask, answered while agents report, with a million rows in the view. */
export const view: Case = {
  id: 'V',
  maxRounds: 3,
  lines: [
    {
      id: 'V list',
      title: `list of services at ${ROWS_PER_SECOND / 1000},000 rows/s and 1,000,000 rows in the view, 95th percentile`,
      unit: 'ms',
      reference: '/healthz at the same time',
      target: { of: 'measured', atMost: 30 },
    },
    {
      id: 'V search',
      title: 'the same, by the beginning of an address of hosts',
      unit: 'ms',
      reference: '/healthz at the same time',
      target: { of: 'measured', atMost: 30 },
    },
    {
      id: 'V service',
      title: 'a service with 10 hosts × 1,000 callers, 95th percentile',
      unit: 'ms',
      reference: '/healthz at the same time',
      target: { of: 'measured', atMost: 50 },
    },
  ],
  round: (bench) =>
    bench.withProcesses('free', async ({ reporter, load, port }) => {
      const shape: Shape = { agents: 10, services: bench.size(10_000, 200), hosts: 10, sameServices: true };
      const crowd: Shape = { ...shape, agents: bench.size(1000, 20), services: 1 };
      const crowdLoad = new Worker<LoadApi>('load');
      try {
        const loads = [
          { agents: load, shape, rowsPerSecond: ROWS_PER_SECOND * (1 - CROWD_SHARE), together: TOGETHER },
          { agents: crowdLoad, shape: crowd, rowsPerSecond: ROWS_PER_SECOND * CROWD_SHARE, together: 1 },
        ];
        let sent = 0;
        for (const { agents, shape: own } of loads) {
          await agents.call('connect', { port, connections: own.agents });
          await agents.call('prepare', { shape: own, version: 1, versions: VERSIONS });
          // All rows are in the view before the clock starts.
          await agents.call('sendAll');
          sent += keysOf(own) * VERSIONS;
          await reporter.call('until', { count: 'received', is: sent, boundMs: 60_000 });
        }
        for (const { agents, rowsPerSecond, together } of loads)
          await agents.call('pace', { rowsPerSecond, together });
        const base = `http://127.0.0.1:${await reporter.call('adminPort')}`;
        await sleep(bench.size(5000, 1500));
        const before = await reporter.call('ledger');
        const times = await ask(base, bench.size(300, 5));
        const after = await reporter.call('ledger');
        const rowsPerSecond = ((after.received - before.received) / (after.atMs - before.atMs)) * 1000;
        bench.options.say(`${Math.round(rowsPerSecond)} rows/s came in`);
        await expectRight(base, shape, crowd);
        for (const { agents } of loads) sent += await agents.call('stop');
        await reporter.call('until', { count: 'received', is: sent, boundMs: 60_000 });
        await reporter.call('record');
        for (const { agents, shape: own } of loads) {
          await agents.call('prepare', { shape: own, version: VERSIONS + 1 });
          await agents.call('sendAll');
          sent += keysOf(own);
        }
        await reporter.call('until', { count: 'received', is: sent, boundMs: 60_000 });
        await reporter.call('until', { count: 'pending', is: 0, boundMs: 60_000 });
        await expectBalanced(reporter, sent);
        expectSame('the store', await reporter.call('recorded'), digestOf(lastRows(shape, crowd)));
        const reference = quantile(times.get('healthz')!, 0.95);
        return ASKED.map(({ line }) => {
          const own = times.get(line)!;
          const details = { p50Ms: quantile(own, 0.5), longestMs: quantile(own, 1), rowsPerSecond };
          return { line, measured: quantile(own, 0.95), reference, details };
        });
      } finally {
        await crowdLoad.end('SIGKILL');
      }
    }),
};

/** Each question in turn, not in step with anything; milliseconds of each. */
async function ask(base: string, samples: number): Promise<ReadonlyMap<string, number[]>> {
  const all = [...ASKED, { line: 'healthz', path: '/healthz' }];
  const times = new Map<string, number[]>(all.map(({ line }) => [line, []]));
  for (let sample = 0; sample < samples; sample++)
    for (const { line, path } of all) {
      const began = performance.now();
      const response = await fetch(`${base}${path}`);
      await response.arrayBuffer();
      times.get(line)!.push(performance.now() - began);
      if (response.status !== 200) throw new WrongResult(`${path} answers ${response.status}`);
      await sleep(5 + Math.random() * 15);
    }
  return times;
}

async function expectRight(base: string, shape: Shape, crowd: Shape): Promise<void> {
  const bodyOf = async (path: string) => (await fetch(`${base}${path}`)).json();
  const list = (await bodyOf('/api/services')) as ServicesAnswer;
  const { summary } = (await bodyOf(CROWDED)) as ServiceAnswer;
  const found = {
    services: list.total,
    overloaded: list.counts.overloaded,
    callers: summary.callers.fresh,
    affected: summary.callers.affected,
    behind: list.behind !== undefined,
  };
  const callers = Math.max(crowd.agents, shape.agents);
  const wanted = {
    services: shape.services,
    overloaded: Math.ceil(shape.services / 50),
    callers,
    affected: callers,
    behind: false,
  };
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new WrongResult(`the view: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

/** What all have said last; some of the crowd also say it as others. */
function lastRows(shape: Shape, crowd: Shape): Iterable<Row> {
  const rows = new Map<string, Row>();
  for (const all of [shape, crowd])
    for (const row of rowsOf(all, VERSIONS + 1))
      rows.set(`${row.modid} ${row.cmdid} ${row.ip} ${row.port} ${row.caller}`, row);
  return rows.values();
}
