/** `npm run docs:api`: writes docs/api, the documentation of every exported name. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, runTool } from '../shared/tool.js';
import { writeApi } from './write-api.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

await runTool(async () => {
  await writeApi(PROJECT, path.join(PROJECT, 'docs/api'));
  note('docs/api: written');
  return 0;
});
