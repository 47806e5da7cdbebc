import test from 'ava';
import { RowBatch } from '../../src/model/row.js';
import { listServices } from '../../src/view/query/list-services.js';
import { View } from '../../src/view/view.js';

const START_S = 1_795_000_000;
const CALLERS = 64;

/** Reports of `hosts` hosts of one service by a caller; its own ones unless `shared`. */
function reports(caller: number, hosts: number, shared: boolean): Int32Array {
  const rows = Array.from({ length: hosts }, (_, host) => ({
    ...{ modid: 1, cmdid: 2, ip: 0x0a000000 + host, port: shared ? 80 : 1000 + caller },
    ...{ caller: 0x0a630000 + caller, succ: 1, err: 0, ts: START_S, overload: false },
  }));
  return RowBatch.from(rows).words.slice();
}

function viewOf(maxRows: number, hosts: number, shared: boolean): View {
  const view = new View({ startS: START_S, settings: { maxRows } });
  for (let caller = 0; caller < CALLERS; caller++)
    view.live(reports(caller, hosts, shared), [view.peer('10.0.0.1')], START_S);
  view.tick(START_S + 1);
  return view;
}

test('beyond its rows the view looks at a share of the callers, and says so', (t) => {
  const view = viewOf(2000, 100, true);
  const { rows, sampled } = view.counts();
  t.true(rows <= 2000 && rows > 0, `${rows} rows`);
  t.true(sampled < 1);
  t.is(listServices(view, new URLSearchParams()).sampled, sampled);
});

test('hosts of few callers each, which take more than rows do, are bounded, too', (t) => {
  // As many rows as before, and every row a host of its own.
  const view = viewOf(7000, 100, false);
  const { rows, sampled } = view.counts();
  t.true(rows <= 7000 / 4 && rows > 0, `${rows} hosts`);
  t.true(sampled < 1);
  t.is(viewOf(7000, 100, true).counts().sampled, 1);
});
