import http from 'node:http';
import { type Bench, type Case, quantile } from '../case.js';
import { digestOf, rowsOf, type Shape } from '../rows.js';
import { latenciesOf } from './latency.js';
import { throughReporter as throughH } from './rereports.js';
import { throughReporter as throughU } from './unique.js';

const STREAMS = 10;
/** Pairs so far. */
let pairs = 0;

/** W: what agents notice of the live view: the same with it and without it, in turn. */
export const viewCost: Case = {
  id: 'W',
  lines: [
    {
      id: 'W U',
      title: 'CPU of the main thread a row of U, with the live view',
      unit: 'µs',
      reference: 'without it',
      target: { of: 'ratio', atMost: 1.03 },
    },
    {
      id: 'W H',
      title: 'the same of H',
      unit: 'µs',
      reference: 'without it',
      target: { of: 'ratio', atMost: 1.03 },
    },
    {
      id: 'W L',
      title: `99th percentile of L with the view and ${STREAMS} streams open, less that without both`,
      unit: 'ms',
      reference: 'that without both',
      target: { of: 'measured', atMost: 2 },
    },
    {
      id: 'W turn',
      title: 'longest turn of the main thread meanwhile',
      unit: 'ms',
      reference: 'without both',
    },
  ],
  async round(bench) {
    const shape: Shape = {
      agents: 10,
      services: bench.size(Math.ceil(bench.options.keys / 100), 100),
      hosts: 10,
    };
    const expected = digestOf(rowsOf(shape, 1));
    const u = await paired(bench, async (one) => (await throughU(one, shape, expected)).mainMicrosPerRow);
    const h = await paired(bench, async (one) => (await throughH(one)).mainMicrosPerRow);
    const l = await paired(bench, (one) => latenciesOf(one, one === bench ? openStreams : undefined));
    const [p99, barelyP99] = [quantile(l.with.through, 0.99), quantile(l.without.through, 0.99)];
    return [
      { line: 'W U', measured: u.with, reference: u.without },
      { line: 'W H', measured: h.with, reference: h.without },
      { line: 'W L', measured: p99 - barelyP99, reference: barelyP99 },
      { line: 'W turn', measured: l.with.longestTurnMs, reference: l.without.longestTurnMs },
    ];
  },
};

/** With and without the view, in an order that changes: who comes second may find the machine warmer. */
async function paired<Value>(
  bench: Bench,
  measure: (bench: Bench) => Promise<Value>,
): Promise<{ readonly with: Value; readonly without: Value }> {
  const without = bench.withoutView();
  if (pairs++ % 2 === 0) return { with: await measure(bench), without: await measure(without) };
  const first = await measure(without);
  return { with: await measure(bench), without: first };
}

/** Pages that stay open. */
async function openStreams(port: number): Promise<() => void> {
  const opening = Array.from(
    { length: STREAMS },
    () =>
      new Promise<http.ClientRequest>((resolve, reject) => {
        const request = http.get({ port, host: '127.0.0.1', path: '/api/events?view=services' });
        request.on('response', (response) => {
          response.on('error', () => {}).resume();
          resolve(request);
        });
        request.on('error', reject);
      }),
  );
  const requests = await Promise.all(opening);
  return () => {
    for (const request of requests) request.destroy();
  };
}
