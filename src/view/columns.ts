/** Columns beside numbered records: one value a record. Each of these returns the column with room for `length`. */

export function int32Column(length: number, old?: Int32Array): Int32Array {
  const column = new Int32Array(length);
  if (old) column.set(old);
  return column;
}

export function uint32Column(length: number, old?: Uint32Array): Uint32Array {
  const column = new Uint32Array(length);
  if (old) column.set(old);
  return column;
}

export function byteColumn(length: number, old?: Uint8Array): Uint8Array {
  const column = new Uint8Array(length);
  if (old) column.set(old);
  return column;
}

export function float64Column(length: number, old?: Float64Array): Float64Array {
  const column = new Float64Array(length);
  if (old) column.set(old);
  return column;
}

export function float32Column(length: number, old?: Float32Array): Float32Array {
  const column = new Float32Array(length);
  if (old) column.set(old);
  return column;
}
