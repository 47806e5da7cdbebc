/** Fields of a report and of a result: number → what its values are. */
const INT32 = 1;
const UINT32 = 2;
const BOOL = 3;
const REPORT_FIELDS = [0, INT32, INT32, INT32, 0, UINT32];
const RESULT_FIELDS = [0, INT32, INT32, UINT32, UINT32, BOOL];
const RESULTS = 4;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/**
 * Whether `bytes[start … end)` are a report as encoders write it: fields that the protocol has and no others, in their
 * order, single ones once, numbers in their shortest form and within their range, results that end where they say, at
 * least one field. Stricter than what is accepted of an agent: this is how a report is told from bytes of chance.
 */
export function isStrictReport(bytes: Uint8Array, start: number, end: number): boolean {
  const cursor = { bytes, at: start };
  let last = 0;
  while (cursor.at < end) {
    const tag = varint(cursor, end);
    if (tag === undefined) return false;
    const [field, type] = [tag >>> 3, tag & 7];
    if (field === RESULTS) {
      if (type !== LENGTH_DELIMITED || last > RESULTS || !isStrictResult(cursor, end)) return false;
    } else {
      const kind = REPORT_FIELDS[field];
      if (!kind || type !== VARINT || field <= last || !isValue(cursor, end, kind)) return false;
    }
    last = field;
  }
  return last > 0 && cursor.at === end;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function isStrictResult(cursor: Cursor, reportEnd: number): boolean {
  const length = varint(cursor, reportEnd);
  if (length === undefined) return false;
  const end = cursor.at + length;
  if (end > reportEnd) return false;
  let last = 0;
  while (cursor.at < end) {
    const tag = varint(cursor, end);
    if (tag === undefined) return false;
    const field = tag >>> 3;
    const kind = RESULT_FIELDS[field];
    if (!kind || (tag & 7) !== VARINT || field <= last || !isValue(cursor, end, kind)) return false;
    last = field;
  }
  return cursor.at === end;
}

/** A varint in its shortest form, of 32 bits; undefined when there is none. */
function varint(cursor: Cursor, end: number): number | undefined {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (cursor.at >= end) return undefined;
    const byte = cursor.bytes[cursor.at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value <= 0xffffffff && (byte !== 0 || shift === 0) ? value : undefined;
  }
  return undefined;
}

function isValue(cursor: Cursor, end: number, kind: number): boolean {
  const begin = cursor.at;
  const value = varint(cursor, end);
  if (value !== undefined) {
    if (kind === BOOL) return value <= 1;
    return kind === UINT32 || value <= 0x7fffffff;
  }
  // A negative number is written with ten bytes: its sign fills 64 bits.
  if (kind !== INT32) return false;
  return isNegative(cursor, begin, end);
}

function isNegative(cursor: Cursor, begin: number, end: number): boolean {
  if (end - begin < 10) return false;
  const { bytes } = cursor;
  for (let index = 0; index < 9; index++) if ((bytes[begin + index]! & 0x80) === 0) return false;
  // Bits 31 to 63 are all ones.
  if ((bytes[begin + 4]! & 0x78) !== 0x78 || bytes[begin + 9] !== 0x01) return false;
  for (let index = 5; index < 9; index++) if (bytes[begin + index] !== 0xff) return false;
  cursor.at = begin + 10;
  return true;
}
