/** A table for terminals: columns aligned, numbers to the right. */
export function alignedTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, String(row[column]).length), title.length),
  );
  const isNumeric = header.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const text = String(cell);
        return isNumeric[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
      })
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}
