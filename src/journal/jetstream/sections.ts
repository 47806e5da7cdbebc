import { crc32 } from 'node:zlib';
import { ReporterError } from '../../model/errors.js';

/**
 * The bytes of a message, little-endian, before they are cut into parts:
 *
 *     byte 0      4       8          8 + 4 n
 *          +------+-------+----------+-----------+-----------+--
 *          | crc  | count | lengths  | section 0 | section 1 | …
 *          | 32   | n     | n × 4    |           |           |
 *          +------+-------+----------+-----------+-----------+--
 *
 * crc: of everything behind it.
 */
export function encodeSections(...sections: readonly Uint8Array[]): Uint8Array {
  let at = 8 + 4 * sections.length;
  const bytes = new Uint8Array(sections.reduce((sum, { length }) => sum + length, at));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, sections.length, true);
  for (const [index, section] of sections.entries()) {
    view.setUint32(8 + 4 * index, section.length, true);
    bytes.set(section, at);
    at += section.length;
  }
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** The sections, on the memory of `bytes`. Throws ReporterError JOURNAL_CORRUPT when they are damaged. */
export function decodeSections(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 8 || view.getUint32(0, true) !== crc32(bytes.subarray(4)))
    throw new ReporterError(
      'JOURNAL_CORRUPT',
      `a message of ${bytes.length} bytes does not match its checksum`,
    );
  const count = view.getUint32(4, true);
  let at = 8 + 4 * count;
  return Array.from({ length: count }, (_, index) => {
    const from = at;
    at += view.getUint32(8 + 4 * index, true);
    return bytes.subarray(from, at);
  });
}

export const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** The caller knows the shape: the checksum holds. */
export const jsonOf = <T>(bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as T;
