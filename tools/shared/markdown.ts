import { ToolError } from './tool.js';

/** Markdown in which what stands between the markers of a section is replaced. Throws ToolError without markers. */
export function withSection(markdown: string, name: string, content: string): string {
  const { start, end } = boundsOf(markdown, name);
  return `${markdown.slice(0, start)}\n${content}\n${markdown.slice(end)}`;
}

/** What stands between the markers of a section. Throws ToolError without markers. */
export function sectionOf(markdown: string, name: string): string {
  const { start, end } = boundsOf(markdown, name);
  return markdown.slice(start, end).trim();
}

function boundsOf(markdown: string, name: string): { start: number; end: number } {
  const begin = `<!-- ${name}:begin -->`;
  const start = markdown.indexOf(begin) + begin.length;
  const end = markdown.indexOf(`<!-- ${name}:end -->`);
  if (start < begin.length || end < start)
    throw new ToolError(`there is no ${begin} … <!-- ${name}:end -->: put both where the table belongs`);
  return { start, end };
}

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text that may hold what Markdown takes for the end of a cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
