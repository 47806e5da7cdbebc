// Rewrites the README's table of configuration keys: npm run build && node dist/test/support/write-config-table.js
import { readFileSync, writeFileSync } from 'node:fs';
import { configTable } from '../../src/config/index.js';
import { replaceConfigTable } from './readme.js';

const readme = new URL('../../../README.md', import.meta.url);
writeFileSync(readme, replaceConfigTable(readFileSync(readme, 'utf8'), configTable()));
