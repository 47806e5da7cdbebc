import type { Head } from '../shapes.js';
import type { Snapshot } from '../snapshot.js';
import type { View } from '../view.js';

/** What stands at the head of every answer. */
export function headOf(view: View, snapshot: Snapshot = view.snapshots.current): Head {
  const { warmingRows, behind } = view.condition;
  const { share } = view.state.sampling;
  return {
    asOf: view.state.clock.iso(snapshot.second),
    tick: snapshot.tick,
    node: view.node,
    ...(warmingRows === undefined ? {} : { warming: { rows: warmingRows, done: false } }),
    ...(behind === undefined ? {} : { behind }),
    ...(share === 1 ? {} : { sampled: share }),
  };
}
