import fc, { type Arbitrary } from 'fast-check';
import { int32, uint32 } from '../model/samples.js';

/**
 * Protobuf bodies made by hand, field by field: also what no encoder of ours would write, but other writers of the
 * format may (any order, repeated scalars, unknown fields, padded varints) and what nobody should (wrong wire types,
 * broken groups, lengths that lie).
 */
type Bytes = readonly number[];

/** A varint of a signed 64-bit value, as negative int32 fields travel. */
export function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

/** The same value in more bytes than it needs, up to the ten that the format allows. */
function padded(bytes: Bytes, by: number): number[] {
  if (by === 0 || bytes.length + by > 10) return [...bytes];
  return [...bytes.slice(0, -1), bytes.at(-1)! | 128, ...Array<number>(by - 1).fill(128), 0];
}

const paddedVarint = (value: Arbitrary<number | bigint>): Arbitrary<number[]> =>
  fc
    .tuple(value, fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }))
    .map(([number, by]) => padded(varint(number), by));

const tagOf = (field: number, wireType: number) => varint((field << 3) | wireType);

export function delimited(field: number, content: Bytes): number[] {
  return [...tagOf(field, 2), ...varint(content.length), ...content];
}

function scalar(field: number, value: Arbitrary<number | bigint>): Arbitrary<number[]> {
  return paddedVarint(value).map((bytes) => [...tagOf(field, 0), ...bytes]);
}

const flat = (parts: readonly Bytes[]): number[] => parts.flat();
const manyOf = (part: Arbitrary<number[]>, maxLength: number): Arbitrary<number[]> =>
  fc.array(part, { maxLength }).map(flat);

/** Field numbers of no message of ours. */
const unknownNumber = fc.constantFrom(6, 7, 15, 16, 2047, 0x1fffffff);

/** A field that is skipped: an unknown number, or a known one with a wire type that is not its own. */
const skipped: Arbitrary<number[]> = fc.letrec<{ field: number[]; group: number[] }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(unknownNumber, paddedVarint(uint32)).map(([at, bytes]) => [...tagOf(at, 0), ...bytes]),
    fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.uint8Array({ minLength: 8, maxLength: 8 }))
      .map(([at, bytes]) => [...tagOf(at, 1), ...bytes]),
    fc
      .tuple(fc.constantFrom(1, 2, 3, 5, 6, 99), fc.uint8Array({ maxLength: 9 }))
      .map(([at, bytes]) => delimited(at, [...bytes])),
    fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.uint8Array({ minLength: 4, maxLength: 4 }))
      .map(([at, bytes]) => [...tagOf(at, 5), ...bytes]),
    tie('group'),
  ),
  group: fc
    .tuple(fc.integer({ min: 1, max: 20 }), manyOf(tie('field'), 3))
    .map(([at, content]) => [...tagOf(at, 3), ...content, ...tagOf(at, 4)]),
})).field;

const int32Value = fc.oneof(int32, int32, uint32);

/** A result's fields: any of them, any number of times, in any order, skipped ones in between. */
const result: Arbitrary<number[]> = manyOf(
  fc.oneof(
    { weight: 2, arbitrary: scalar(1, int32Value) },
    { weight: 2, arbitrary: scalar(2, int32Value) },
    { weight: 2, arbitrary: scalar(3, uint32) },
    { weight: 2, arbitrary: scalar(4, uint32) },
    { weight: 2, arbitrary: scalar(5, fc.constantFrom(0, 1, 2, 128, 2n ** 40n)) },
    { weight: 1, arbitrary: skipped },
  ),
  7,
);

const resultField: Arbitrary<number[]> = fc
  .tuple(result, fc.oneof({ weight: 19, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) }))
  .map(([content, by]) => [...tagOf(4, 2), ...padded(varint(content.length), by), ...content]);

/** The bodies of reports, however unusually written. */
export const validBody: Arbitrary<Uint8Array> = manyOf(
  fc.oneof(
    { weight: 4, arbitrary: resultField },
    { weight: 1, arbitrary: scalar(1, int32Value) },
    { weight: 1, arbitrary: scalar(2, int32Value) },
    { weight: 1, arbitrary: scalar(3, int32Value) },
    { weight: 1, arbitrary: scalar(5, uint32) },
    { weight: 1, arbitrary: skipped },
  ),
  10,
).map((bytes) => Uint8Array.from(bytes));

/** Valid bodies with a few bytes changed, removed, repeated or cut off. */
const mutatedBody: Arbitrary<Uint8Array> = fc
  .tuple(
    validBody,
    fc.array(fc.tuple(fc.constantFrom('set', 'flip', 'insert', 'remove', 'cut'), fc.nat(), fc.nat(255)), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([body, mutations]) => {
    let bytes = [...body];
    for (const [how, where, byte] of mutations) {
      const at = where % (bytes.length + 1);
      if (how === 'insert') bytes.splice(at, 0, byte);
      else if (how === 'remove') bytes.splice(at, 1);
      else if (how === 'cut') bytes = bytes.slice(0, at);
      else if (at < bytes.length) bytes[at] = how === 'set' ? byte : bytes[at]! ^ (1 << (byte & 7));
    }
    return Uint8Array.from(bytes);
  });

/** Bytes that look a little like tags and lengths. */
const tagLikeBytes = fc
  .array(fc.oneof(fc.constantFrom(8, 16, 24, 34, 40, 32, 35, 36, 0, 1, 128, 255), fc.nat(255)), {
    maxLength: 30,
  })
  .map((bytes) => Uint8Array.from(bytes));

/** Any bytes at all. */
export const anyBody: Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: mutatedBody },
  { weight: 1, arbitrary: tagLikeBytes },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
);
