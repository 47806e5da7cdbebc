import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Case, expectBalanced, expectSame, WrongResult } from '../case.js';
import type { ReporterApi } from '../processes/reporter.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const dataFile = (dir: string) => path.join(dir, 'journal', 'data.mdb');

/** O: the store is away, agents go on reporting the same 10,000 keys. */
export const outage: Case = {
  id: 'O',
  maxRounds: 3,
  lines: [
    {
      id: 'O memory',
      title: 'store away, 10,000 keys: resident set after 10 M re-reports (after gc)',
      unit: 'MB',
      reference: 'after 1 M',
      target: { of: 'ratio', atMost: 1.1 },
    },
    {
      id: 'O journal',
      title: 'store away, 10,000 keys: journal file after 10 M re-reports',
      unit: 'MB',
      reference: 'after 1 M',
      target: { of: 'ratio', atMost: 1.1 },
    },
  ],
  round: (bench) =>
    bench.withProcesses('away', async ({ reporter, load, port, dir }) => {
      const shape: Shape = { agents: 10, services: bench.size(1000, 20), hosts: 10, shared: true };
      const perRound = shape.agents * keysOf(shape);
      await load.call('connect', { port, connections: shape.agents });
      await load.call('prepare', { shape, version: 1 });
      const report = async (rounds: number, total: number) => {
        await load.call('flood', { rounds });
        await reporter.call('until', { count: 'received', is: total * perRound, boundMs: 120_000 });
        await expectBalanced(reporter, total * perRound, keysOf(shape));
        const { rssBytes, liveBytes, journalBytes } = await reporter.call('usage', { gc: true });
        const fileBytes = statSync(dataFile(dir)).size;
        return {
          rss: rssBytes / 1e6,
          live: liveBytes / 1e6,
          needed: journalBytes / 1e6,
          file: fileBytes / 1e6,
        };
      };
      const early = await report(10, 10);
      const late = await report(90, 100);
      await load.call('prepare', { shape, version: 2 });
      await load.call('sendAll');
      const total = 101 * perRound;
      await reporter.call('until', { count: 'received', is: total, boundMs: 30_000 });
      await reporter.call('record');
      await reporter.call('storeIsBack');
      await reporter.call('until', { count: 'pending', is: 0, boundMs: 60_000 });
      await expectBalanced(reporter, total);
      expectSame('the store', await reporter.call('recorded'), digestOf(rowsOf(shape, 2)));
      return [
        {
          line: 'O memory',
          measured: late.rss,
          reference: early.rss,
          details: { liveMB: late.live, liveBeforeMB: early.live },
        },
        {
          line: 'O journal',
          measured: late.file,
          reference: early.file,
          details: { neededMB: late.needed, neededBeforeMB: early.needed },
        },
      ];
    }),
};

/** R: killed with a million rows pending, started again. */
export const recovery: Case = {
  id: 'R',
  maxRounds: 3,
  lines: [
    {
      id: 'R',
      title: 'kill -9 with 1,000,000 rows pending: from the start of the process until it takes reports',
      unit: 's',
      reference: "reading the journal's bytes once",
      target: { of: 'measured', atMost: 5 },
    },
  ],
  round: (bench) =>
    bench.withProcesses('away', async ({ reporter, load, port, dir }) => {
      const shape: Shape = { agents: 10, services: bench.size(10_000, 200), hosts: 10 };
      const keys = keysOf(shape);
      await load.call('connect', { port, connections: shape.agents });
      await load.call('prepare', { shape, version: 1 });
      await load.call('sendAll');
      await reporter.call('until', { count: 'received', is: keys, boundMs: 120_000 });
      await expectBalanced(reporter, keys, keys);
      const { rssBytes } = await reporter.call('usage', { gc: true });
      await reporter.end('SIGKILL');

      const readBegan = performance.now();
      const { length } = readFileSync(dataFile(dir));
      const readSeconds = (performance.now() - readBegan) / 1000;

      const began = performance.now();
      const again = new Worker<ReporterApi>('reporter', ['--expose-gc']);
      try {
        await again.call('start', { config: bench.config(dir), store: 'away' });
        const readySeconds = (performance.now() - began) / 1000;
        const { recovered, pending, balanced } = await again.call('ledger');
        if (recovered !== keys || pending !== keys || !balanced)
          throw new WrongResult(`recovered ${recovered}, pending ${pending} of ${keys} rows`);
        await again.call('record');
        await again.call('storeIsBack');
        await again.call('until', { count: 'pending', is: 0, boundMs: 120_000 });
        expectSame('the store', await again.call('recorded'), digestOf(rowsOf(shape, 1)));
        const details = { journalMB: length / 1e6, rssBeforeKillMB: rssBytes / 1e6 };
        return [{ line: 'R', measured: readySeconds, reference: readSeconds, details }];
      } finally {
        await again.end('SIGKILL');
      }
    }),
};
