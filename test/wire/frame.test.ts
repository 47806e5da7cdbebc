import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, FrameError, HEADER_BYTES, MAX_BODY_BYTES } from '../../src/wire/frame.js';
import { int32 } from '../model/samples.js';

interface Frame {
  readonly id: number;
  readonly body: Uint8Array;
}

const frame: fc.Arbitrary<Frame> = fc.record({
  id: int32,
  body: fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.nat(5000).map((bytes) => new Uint8Array(bytes).fill(bytes)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, MAX_BODY_BYTES).map((bytes) => new Uint8Array(bytes).fill(7)),
    },
  ),
});

/** Where a stream is cut: by single bytes, by pieces of one size, or anywhere. */
const cuts = fc.oneof(
  fc.constant([1]),
  fc.integer({ min: 1, max: 20 }).map((size) => [size]),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 70_000 })), {
    minLength: 1,
    maxLength: 20,
  }),
);

function* cut(stream: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < stream.length; index++) {
    // A piece that may be empty, but not for ever.
    const size = sizes[index % sizes.length]! + (index >= sizes.length ? 1 : 0);
    // Memory of its own that is overwritten afterwards, as that of a socket may be.
    yield Uint8Array.from(stream.subarray(at, at + size));
    at += size;
  }
}

/** Pushes all pieces and returns the frames that came out; each piece is scribbled over after its push. */
function decode(decoder: FrameDecoder, pieces: Iterable<Uint8Array>): Frame[] {
  const frames: Frame[] = [];
  for (const piece of pieces) {
    try {
      decoder.push(piece, (id, bytes, start, end) =>
        frames.push({ id, body: Uint8Array.from(bytes.subarray(start, end)) }),
      );
    } finally {
      piece.fill(0xee);
    }
  }
  return frames;
}

function header(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeInt32LE(id, 0);
  bytes.writeInt32LE(length, 4);
  return bytes;
}

const plain = (frames: readonly Frame[]) =>
  frames.map(({ id, body }) => [id, Buffer.from(body).toString('hex')]);

test('frames come out whole, equal and in order, wherever the stream is cut', (t) => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, sizes) => {
      const stream = Buffer.concat(frames.map(({ id, body }) => encodeFrame(id, body)));
      const decoder = new FrameDecoder();
      t.deepEqual(plain(decode(decoder, cut(stream, sizes))), plain(frames));
      t.is(decoder.incompleteBytes, 0);
    }),
  );
});

test('what has arrived of a cut-off frame is counted, byte by byte', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      cuts,
      fc.nat(),
      (bodies, sizes, lost) => {
        const frames = bodies.map((body, index) => encodeFrame(index, body));
        const last = frames.at(-1)!;
        // 1 … all bytes of the last frame are missing.
        const kept = last.length - 1 - (lost % last.length);
        const stream = Buffer.concat([...frames.slice(0, -1), last.subarray(0, kept)]);
        const decoder = new FrameDecoder();
        t.is(decode(decoder, cut(stream, sizes)).length, frames.length - 1);
        t.is(decoder.incompleteBytes, kept);
      },
    ),
  );
});

function claims(t: ExecutionContext, length: number, limit: number): FrameError | undefined {
  const decoder = new FrameDecoder(limit);
  return t.throws(() => decoder.push(header(3, length), () => t.fail('no frame can come of it')), {
    instanceOf: FrameError,
  });
}

test('a header that claims less than nothing or more than the limit ends the stream', (t) => {
  for (const length of [-1, -0x80000000, MAX_BODY_BYTES + 1, 0x7fffffff])
    t.is(claims(t, length, MAX_BODY_BYTES)?.claimedBytes, length);
  t.is(claims(t, 11, 10)?.claimedBytes, 11);
  t.is(claims(t, 1, 0)?.claimedBytes, 1);
});

test('a bad header is noticed wherever the stream is cut in it', (t) => {
  for (let at = 1; at < HEADER_BYTES; at++) {
    const decoder = new FrameDecoder();
    const bytes = header(3, -1);
    decoder.push(bytes.subarray(0, at), () => t.fail());
    t.throws(() => decoder.push(bytes.subarray(at), () => t.fail()), { instanceOf: FrameError });
  }
});

test('a body of exactly the limit passes', (t) => {
  for (const limit of [0, 1, 10, MAX_BODY_BYTES]) {
    const body = new Uint8Array(limit).fill(5);
    t.deepEqual(plain(decode(new FrameDecoder(limit), [encodeFrame(9, body)])), plain([{ id: 9, body }]));
  }
});

test('frames in front of a bad header are delivered, none behind it', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }),
      fc.constantFrom(-1, MAX_BODY_BYTES + 1),
      cuts,
      (bodies, length, sizes) => {
        const good = bodies.map((body, id) => encodeFrame(id, body));
        const stream = Buffer.concat([...good, header(3, length), encodeFrame(4, new Uint8Array(4))]);
        const decoder = new FrameDecoder();
        const ids: number[] = [];
        t.throws(
          () => {
            for (const piece of cut(stream, sizes)) decoder.push(piece, (id) => ids.push(id));
          },
          { instanceOf: FrameError },
        );
        t.deepEqual(ids, [...bodies.keys()]);
      },
    ),
  );
});

test('an error of the receiver reaches the sender, and frames before it stay delivered', (t) => {
  const stream = Buffer.concat([0, 1, 2].map((id) => encodeFrame(id, new Uint8Array(3))));
  const ids: number[] = [];
  t.throws(
    () =>
      new FrameDecoder().push(stream, (id) => {
        ids.push(id);
        if (id === 1) throw new Error('enough');
      }),
    { message: 'enough' },
  );
  t.deepEqual(ids, [0, 1]);
});

test('a header that claims much and is followed by little costs little memory', (t) => {
  const decoders = 2000;
  const before = process.memoryUsage().arrayBuffers;
  const kept = Array.from({ length: decoders }, () => {
    const decoder = new FrameDecoder();
    decoder.push(Buffer.concat([header(3, MAX_BODY_BYTES), new Uint8Array(20)]), () => t.fail());
    return decoder;
  });
  const bytesEach = (process.memoryUsage().arrayBuffers - before) / decoders;
  t.is(kept.at(-1)?.incompleteBytes, HEADER_BYTES + 20);
  t.true(bytesEach < 1024, `${bytesEach} bytes are kept for 28 that arrived`);
});

test('a body longer than the protocol allows is not encoded', (t) => {
  t.is(encodeFrame(3, new Uint8Array(MAX_BODY_BYTES)).length, HEADER_BYTES + MAX_BODY_BYTES);
  t.throws(() => encodeFrame(3, new Uint8Array(MAX_BODY_BYTES + 1)), { instanceOf: FrameError });
});
