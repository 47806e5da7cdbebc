/** What a title and the text below it have, whatever language they are in. */
interface Section {
  /** As it stands there: `## Commands`. */
  readonly title: string;
  /** Blocks of code, without a change. */
  readonly code: readonly string[];
  /** Of all tables: cells of each line. */
  readonly rows: readonly (readonly string[])[];
  /** Paragraphs and elements of lists, each on one line. */
  readonly prose: readonly string[];
}

/** A page of Markdown by its titles. */
export function sectionsOf(markdown: string): Section[] {
  const sections: { title: string; code: string[]; rows: string[][]; prose: string[] }[] = [];
  let joins = false;
  for (const [block] of markdown.matchAll(/^```[\s\S]*?^```$|^.*$/gm)) {
    const here = sections.at(-1);
    if (/^#+ /.test(block)) sections.push({ title: block, code: [], rows: [], prose: [] });
    else if (block.startsWith('```')) here?.code.push(block);
    else if (block.startsWith('|')) here?.rows.push(cellsOf(block));
    else if (joins && !block.startsWith('- ') && block !== '')
      here?.prose.push(`${here.prose.pop()} ${block}`);
    else if (block !== '' && !block.startsWith('<!--')) here?.prose.push(block);
    joins = block !== '' && !/^(#|```|\||<!--)/.test(block);
  }
  return sections;
}

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

/** Links and pictures, without the pages themselves. */
export const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)]*)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^README(\.zh-CN)?\.md$/.test(target));

/** What stands in backticks. */
export const namesOf = (text: string) => [...text.matchAll(/`[^`]+`/g)].map(([name]) => name);

/** What is left for a translator: text without names and targets of links. */
export const wordsOf = (text: string) => text.replaceAll(/`[^`]+`|\]\([^)]*\)/g, ' ');

/** Numbers that are written with digits. */
export const numbersOf = (text: string) =>
  [...wordsOf(text).matchAll(/\d+(?:\.\d+)*/g)].map(([number]) => number);

/** All text of a section but its code. */
export const textOf = ({ title, rows, prose }: Section) => [title, ...prose, ...rows.flat()].join('\n');

/** What is in one list and not in the other, each as often as it is there. */
export function apart(
  here: readonly string[],
  there: readonly string[],
): { missing: string[]; more: string[] } {
  const more = [...there];
  const missing = here.filter((one) => {
    const at = more.indexOf(one);
    if (at >= 0) more.splice(at, 1);
    return at < 0;
  });
  return { missing, more };
}

/** A sentence for what a translation lacks or has besides; none where both have the same. */
export function told(where: string, here: readonly string[], there: readonly string[]): string[] {
  const { missing, more } = apart(here, there);
  return [
    ...missing.map((one) => `${where}: the translation lacks ${one}`),
    ...more.map((one) => `${where}: only the translation has ${one}`),
  ];
}

/** How a translation differs from a page, aspect by aspect; sections are compared in their order. */
export const ASPECTS: Readonly<Record<string, (page: string, translation: string) => string[]>> = {
  'titles, in number and level': (page, translation) => {
    const levelsOf = (markdown: string) => sectionsOf(markdown).map(({ title }) => title.split(' ')[0] ?? '');
    const [here, there] = [levelsOf(page), levelsOf(translation)];
    const at = here.findIndex((level, i) => level !== there[i]);
    if (at < 0 && here.length === there.length) return [];
    return [`not at the same level: ${sectionsOf(page)[at]?.title ?? 'a title behind the last one'}`];
  },
  'blocks of code, byte for byte': each(({ code }) => code),
  links: each((section) => linksOf(textOf(section))),
  'paragraphs and elements of lists': each(({ prose }) =>
    prose.map((one) => (/^- /.test(one) ? 'an element' : 'a paragraph')),
  ),
  'names in backticks': each((section) => [...new Set(namesOf(textOf(section)))]),
  numbers: each(({ prose }) => [...new Set(numbersOf(prose.join('\n')))]),
  'tables: as many lines, each with the same first cell': each(({ rows }) =>
    // First cells of titles and of pictures are words.
    rows.map(([first = ''], at) =>
      rows[at + 1]?.[0] === '---' ? 'a table' : first.replace(/!\[[^\]]*\]/, '').replaceAll('、', ', '),
    ),
  ),
  'tables: in each cell the same names, links and numbers': (page, translation) =>
    pairs(page, translation).flatMap(([here, there]) =>
      here.rows.flatMap((cells, line) =>
        cells.flatMap((cell, column) => {
          const partsOf = (text: string) => [
            ...new Set([...namesOf(text), ...linksOf(text), ...numbersOf(text)]),
          ];
          return told(
            `${here.title}, ${cells[0]}, column ${column + 1}`,
            partsOf(cell),
            partsOf(there.rows[line]?.[column] ?? ''),
          );
        }),
      ),
    ),
};

function each(partsOf: (section: Section) => readonly string[]) {
  return (page: string, translation: string) =>
    pairs(page, translation).flatMap(([here, there]) => told(here.title, partsOf(here), partsOf(there)));
}

const NOTHING: Section = { title: '', code: [], rows: [], prose: [] };

/** Sections of a page, each with that of the translation. */
export function pairs(page: string, translation: string): [Section, Section][] {
  const there = sectionsOf(translation);
  return sectionsOf(page).map((here, at) => [here, there[at] ?? NOTHING]);
}
