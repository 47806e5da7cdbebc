import { ToolError } from '../shared/tool.js';

/** A member of a declaration, with its comment on one line. */
export interface Declared {
  readonly name: string;
  readonly comment: string;
  /** What stands behind its name, up to the next member. */
  readonly text: string;
}

/** The members of an exported interface that is laid out as the formatter does. Throws ToolError without it. */
export function membersOf(source: string, name: string): Declared[] {
  const [, body] = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source) ?? [];
  if (body === undefined) throw new ToolError(`there is no interface ${name} where it was`);
  return declaredIn(body, /^ {2}'?([\w-]+)'?: /);
}

/** The texts of an exported union, one a line. Throws ToolError without it. */
export function alternativesOf(source: string, name: string): Declared[] {
  const [, body] = new RegExp(`^export type ${name} =\\n([\\s\\S]*?);$`, 'm').exec(source) ?? [];
  if (body === undefined) throw new ToolError(`there is no union ${name} where it was`);
  return declaredIn(body, /^ {2}\| '([\w-]+)'/);
}

function declaredIn(body: string, start: RegExp): Declared[] {
  const found: { name: string; comment: string; text: string }[] = [];
  let comment = '';
  let isComment = false;
  for (const line of body.split('\n')) {
    const [whole, name] = start.exec(line) ?? [];
    if (name !== undefined && whole !== undefined) {
      found.push({ name, comment, text: line.slice(whole.length) });
      comment = '';
      continue;
    }
    // A comment of the declaration's own members is indented deeper.
    isComment ||= line.startsWith('  /**');
    if (isComment)
      comment = `${comment} ${line.replace(/^\s*(\/\*\*|\*(?!\/))\s?/, '').replace(/\s*\*\/$/, '')}`.trim();
    else if (found.length > 0) found.at(-1)!.text += `\n${line}`;
    if (line.endsWith('*/')) isComment = false;
  }
  return found;
}
