const BEGIN = '<!-- config:begin -->';
const END = '<!-- config:end -->';

/** The README with what stands between its config markers replaced by `table`. Throws when there are no markers. */
export function replaceConfigTable(readme: string, table: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the README has no ${BEGIN} … ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${table}\n${readme.slice(end)}`;
}
