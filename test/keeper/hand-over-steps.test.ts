import test from 'ava';
import type { Downward } from '../../src/keeper/channel.js';
import { HandOver, type HandOverLimits, type HandOverSide } from '../../src/keeper/hand-over.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 5000 };
const FOR_EVER_MS = 3_600_000;

/** A child that does what the test says, and notes what it is told. */
class Side implements HandOverSide {
  hasEnded = false;
  why = '';
  isReading = false;
  readonly told: string[] = [];
  /** Whether it was killed: its end is the test's to tell. */
  isKilled = false;

  tell({ kind }: Downward): void {
    this.told.push(kind);
  }

  kill(): void {
    this.isKilled = true;
  }

  startCopies(): void {}
  stopCopies(): void {}
  resumeCopies(): void {}

  whenSent(callback: () => void): void {
    callback();
  }
}

function begin(limits: Partial<HandOverLimits> = {}) {
  const [old, next] = [new Side(), new Side()];
  const events: string[] = [];
  const handOver = new HandOver<Side>(
    old,
    next,
    {
      onPrepared: () => events.push('prepared'),
      onDone: (reader) => events.push(reader === old ? 'old reads' : 'next reads'),
      onFailed: () => events.push('failed'),
      onLost: () => events.push('lost'),
    },
    { prepareMs: FOR_EVER_MS, letGoMs: FOR_EVER_MS, takeMs: FOR_EVER_MS, ...limits },
  );
  /** The successor's process is gone. */
  const nextEnds = () => {
    next.hasEnded = true;
    return handOver.ended(next);
  };
  return { handOver, old, next, events, nextEnds };
}

const piece = { section: 'connections', version: 1, data: [] };

test('a successor that ends while a piece is on its way to it holds nothing up: the old process gives the rest, and takes it back', (t) => {
  const { handOver, old, next, events, nextEnds } = begin();
  handOver.hear(next, { kind: 'prepared' });
  handOver.hear(old, { kind: 'state', piece });
  t.deepEqual(next.told, ['state']);
  t.true(nextEnds());
  t.deepEqual(old.told, ['let-go', 'taken'], 'the piece is answered');
  handOver.hear(old, { kind: 'state', piece });
  handOver.hear(old, { kind: 'gone' });
  t.deepEqual(old.told.slice(2), ['taken', 'take-over']);
  handOver.reads(old);
  t.deepEqual(events, ['prepared', 'failed', 'old reads']);
  t.false(old.isKilled);
});

test('when letting go takes too long, the successor is given up first: the old process may wait for it alone', async (t) => {
  const { handOver, old, next, events, nextEnds } = begin({ letGoMs: 50 });
  handOver.hear(next, { kind: 'prepared' });
  handOver.hear(old, { kind: 'state', piece });
  await until(() => next.isKilled, { ...BOUND, what: 'the successor to be killed' });
  t.false(old.isKilled);
  nextEnds();
  handOver.hear(old, { kind: 'gone' });
  handOver.reads(old);
  t.deepEqual(events, ['prepared', 'failed', 'old reads']);
});

test('an old process that does not let go at all is ended at last, and a new one begins', async (t) => {
  const { handOver, old, next, events, nextEnds } = begin({ letGoMs: 20 });
  handOver.hear(next, { kind: 'prepared' });
  await until(() => next.isKilled, { ...BOUND, what: 'the successor to be killed' });
  nextEnds();
  await until(() => old.isKilled, { ...BOUND, what: 'the old one to be killed' });
  old.hasEnded = true;
  t.true(handOver.ended(old));
  t.deepEqual(events, ['prepared', 'lost']);
});

test('a successor that takes over and never reads is given up, and the old process reads on', async (t) => {
  const { handOver, old, next, events, nextEnds } = begin({ takeMs: 50 });
  handOver.hear(next, { kind: 'prepared' });
  handOver.hear(old, { kind: 'gone' });
  t.deepEqual(next.told, ['take-over']);
  await until(() => next.isKilled, { ...BOUND, what: 'the successor to be killed' });
  nextEnds();
  handOver.reads(old);
  t.deepEqual(events, ['prepared', 'failed', 'old reads']);
  t.false(old.isKilled);
});

test('a successor that is not prepared in time is given up, and nothing was let go', async (t) => {
  const { old, next, events } = begin({ prepareMs: 20 });
  await until(() => events.includes('failed'), { ...BOUND, what: 'the hand-over to be off' });
  t.true(next.isKilled);
  t.deepEqual(old.told, []);
  t.deepEqual(events, ['failed', 'old reads']);
});
