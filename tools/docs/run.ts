/** `npm run docs`: writes the generated tables of the documentation; `npm run docs:config` and so on, some of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withSection } from '../shared/markdown.js';
import { note, runTool, UsageError } from '../shared/tool.js';
import { TABLES } from './tables.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const scripts = [...new Set(TABLES.map(({ script }) => script))];
  const unknown = asked.find((name) => !scripts.some((script) => script === name));
  if (unknown !== undefined) throw new UsageError(`${unknown} is no table: takes ${scripts.join(', ')}`);
  for (const { section, file, script, content } of TABLES) {
    if (asked.length > 0 && !asked.includes(script)) continue;
    const target = path.join(PROJECT, file);
    const before = readFileSync(target, 'utf8');
    const after = withSection(before, section, await content(PROJECT, before));
    if (after !== before) writeFileSync(target, after);
    note(`${file}: ${section} ${after === before ? 'is up to date' : 'written'}`);
  }
  return 0;
}

await runTool(main);
