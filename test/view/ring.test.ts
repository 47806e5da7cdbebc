import test from 'ava';
import fc from 'fast-check';
import { RingReader, RingWriter, sharedRing } from '../../src/view/feed/ring.js';

const WORDS = 64;

const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), words: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant('read' as const), maxWords: fc.integer({ min: 1, max: 60 }) }),
);

test('what is written is read, whole, once and in order, however it wraps; what does not fit changes nothing', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const ring = sharedRing(WORDS);
      const [writer, reader] = [new RingWriter(ring), new RingReader(ring)];
      const expected: [kind: number, tag: number, content: number[]][] = [];
      const found: typeof expected = [];
      const seconds: number[] = [];
      let written = 0;
      const read = (maxWords?: number) =>
        reader.read((kind, tag, content) => {
          found.push([kind, tag, [...content]]);
          seconds.shift();
        }, maxWords);
      for (const one of steps) {
        if (one.kind === 'read') read(one.maxWords);
        else {
          written++;
          const content = Array.from({ length: one.words }, (_, index) => written * 1000 + index);
          if (writer.write(1 + (written % 2), written, written * 10, content)) {
            expected.push([1 + (written % 2), written, content]);
            seconds.push(written * 10);
          }
        }
        t.deepEqual(found, expected.slice(0, found.length));
        t.is(writer.oldestSecond(), seconds[0]);
        t.is(reader.oldestSecond(), seconds[0]);
        t.is(writer.hasRead(writer.head), seconds.length === 0);
      }
      t.true(read());
      t.deepEqual(found, expected);
    }),
  );
});

test('a ring that is full takes entries again once it is read', (t) => {
  const ring = sharedRing(WORDS);
  const [writer, reader] = [new RingWriter(ring), new RingReader(ring)];
  const content = new Int32Array(12);
  while (writer.write(1, 0, 0, content));
  t.false(writer.write(1, 0, 0, content));
  t.false(
    reader.read(() => {}, 1),
    'something is left',
  );
  t.true(reader.read(() => {}));
  t.true(writer.write(1, 0, 0, content));
});
