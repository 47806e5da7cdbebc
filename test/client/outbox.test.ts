import test from 'ava';
import fc from 'fast-check';
import { type Batch, Outbox } from '../../src/client/outbox.js';

const key = (service: number) => ({ modid: service, cmdid: -1, caller: 7 });
const report = (service: number) => ({ ...key(service), ts: 0, results: [] });

/** Bytes of a number, of some length: a newer one may be shorter or longer. */
function numbered(number: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(4 + length);
  bytes.writeUInt32LE(number);
  return bytes;
}

type Step =
  | { readonly kind: 'report'; readonly service: number; readonly length: number }
  | { readonly kind: 'write' | 'written' | 'lost' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('report' as const),
        service: fc.integer({ min: 1, max: 8 }),
        length: fc.integer({ min: 0, max: 40 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('write' as const, 'written' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost' as const) }) },
  ),
  { maxLength: 200 },
);

/** A plain model: what was reported of each service, in order, and what was written on the present connection. */
class Model {
  reported = 0;
  readonly newest = new Map<number, number>();
  readonly onConnection = new Map<number, number>();
  readonly dropped: number[] = [];
  readonly outbox: Outbox;
  batch: Batch | undefined;

  constructor(maxServices: number, maxBytes: number) {
    this.outbox = new Outbox({ maxServices, maxBytes }, ({ modid }) => this.dropped.push(modid));
  }

  do(step: Step): void {
    if (step.kind === 'report') {
      this.reported++;
      this.newest.set(step.service, this.reported);
      this.outbox.put(report(step.service), numbered(this.reported, step.length));
    } else if (step.kind === 'write') {
      this.batch ??= this.outbox.take(60);
    } else if (step.kind === 'written' && this.batch) {
      for (const { key, bytes } of this.batch.entries)
        this.onConnection.set(key.modid, Buffer.from(bytes).readUInt32LE());
      this.outbox.settle(this.batch, true);
      this.batch = undefined;
    } else if (step.kind === 'lost') {
      if (this.batch) this.outbox.settle(this.batch, false);
      this.batch = undefined;
      this.onConnection.clear();
      this.outbox.sendAgain();
    }
  }

  get isCounted(): boolean {
    const { reported, sent, superseded, dropped, waiting } = this.outbox.counts;
    return (
      reported === this.reported &&
      reported === sent + superseded + dropped + waiting &&
      dropped === this.dropped.length
    );
  }

  /** Writes everything that waits. */
  finish(): void {
    this.do({ kind: 'written' });
    while (!this.outbox.isEmpty) {
      this.do({ kind: 'write' });
      this.do({ kind: 'written' });
    }
  }
}

test('whatever happens, the newest report of each service stands last on the connection, and none goes back', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const model = new Model(100, 100_000);
      for (const step of all) {
        const before = new Map(model.onConnection);
        model.do(step);
        for (const [service, number] of model.onConnection)
          if (number < (before.get(service) ?? 0)) return false;
        if (!model.isCounted) return false;
      }
      model.finish();
      const { dropped, forgotten, waiting } = model.outbox.counts;
      t.deepEqual(Object.fromEntries(model.onConnection), Object.fromEntries(model.newest));
      return dropped === 0 && forgotten === 0 && waiting === 0;
    }),
  );
});

test('the bounds on services and bytes hold; each report that is not sent is counted and told', (t) => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 150 }),
      (all, most, bytes) => {
        const model = new Model(most, bytes);
        for (const step of all) {
          model.do(step);
          if (!model.isCounted || model.outbox.services > most || model.outbox.bytes > bytes) return false;
        }
        model.finish();
        return model.isCounted && model.outbox.counts.waiting === 0;
      },
    ),
  );
  t.pass();
});

test('room is made at the cost of the service that was reported longest ago, sent ones first', (t) => {
  const model = new Model(3, 1000);
  const put = (service: number) => model.do({ kind: 'report', service, length: 0 });
  put(1);
  model.finish();
  put(2);
  put(3);
  put(2);
  put(4);
  t.deepEqual(model.dropped, []);
  t.is(model.outbox.counts.forgotten, 1);
  put(5);
  t.deepEqual(model.dropped, [3]);
  model.finish();
  t.deepEqual([...model.onConnection.keys()].sort(), [1, 2, 4, 5]);
});

test('a report larger than the bound is dropped, and takes the place of no other', (t) => {
  const model = new Model(3, 50);
  model.do({ kind: 'report', service: 1, length: 10 });
  t.false(model.outbox.put(report(2), numbered(2, 100)));
  t.deepEqual(model.dropped, [2]);
  t.is(model.outbox.services, 1);
});

test('what is cleared is dropped, each report once', (t) => {
  const model = new Model(10, 1000);
  for (const service of [1, 2, 1]) model.do({ kind: 'report', service, length: 0 });
  model.outbox.clear();
  t.like(model.outbox.counts, { reported: 3, superseded: 1, dropped: 2, waiting: 0 });
});
