import test from 'ava';
import fc from 'fast-check';
import type { Chunk } from '../../src/partition/chunk.js';
import { PendingRows } from '../../src/partition/pending.js';
import { FollowedBatches } from '../../src/writer/followed.js';
import { pack } from '../model/samples.js';

const key = fc.integer({ min: 0, max: 5 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('fold' as const), keys: fc.array(key, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('take' as const), from: key }),
  fc.record({ kind: fc.constantFrom('store' as const, 'refuse' as const, 'release' as const) }),
);

test('a batch has arrived when of each of its keys its value, or a newer one, is stored or refused', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pending = new PendingRows();
      const followed = new FollowedBatches();
      let folds = 0;
      const newest = new Map<number, number>();
      /** Of each batch that is on its way, its keys that are. */
      const open = new Map<number, Set<number>>();
      let taken: { readonly chunk: Chunk; readonly values: ReadonlyMap<number, number> } | undefined;
      for (const { kind, ...what } of steps) {
        if (kind === 'fold' && 'keys' in what) {
          folds++;
          const rows = Int32Array.from(what.keys.flatMap((ip) => [...pack({ ip, ts: folds })]));
          pending.fold(rows, 1);
          for (const each of what.keys) newest.set(each, folds);
          followed.add(folds, rows, pending);
          if (followed.has(folds)) open.set(folds, new Set(what.keys));
        } else if (kind === 'take' && 'from' in what && !taken) {
          const chunk = pending.pass().next(what.from + 1);
          if (!chunk) continue;
          const values = new Map([...chunk.rows].map(({ ip }) => [ip, newest.get(ip)!]));
          taken = { chunk, values };
        } else if (taken) {
          const { chunk, values } = taken;
          const carried = [...open]
            .filter(([batch, keys]) => [...keys].some((each) => (values.get(each) ?? 0) >= batch))
            .map(([batch]) => batch);
          t.deepEqual(followed.carriedBy(chunk).batches ?? [], carried);
          taken = undefined;
          if (kind === 'release') {
            pending.release(chunk);
            continue;
          }
          if (kind === 'store') pending.stored(chunk, 0);
          else pending.refused(chunk);
          const arrivals = followed.settled(chunk, kind === 'refuse');
          const expected: number[] = [];
          for (const [batch, keys] of open) {
            for (const [each, value] of values) if (value >= batch) keys.delete(each);
            if (keys.size > 0) continue;
            open.delete(batch);
            expected.push(batch);
          }
          t.deepEqual(
            arrivals.map(({ batchId }) => batchId),
            expected,
          );
          pending.confirm(pending.unchangedKeys([chunk]), 0);
        }
      }
    }),
  );
  t.pass();
});
