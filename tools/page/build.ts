import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bundles the page into `dist/page`: index.html, and a script and a style sheet named by what is in them. */

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCE = path.join(PROJECT, 'src/page');
const TARGET = path.join(PROJECT, 'dist/page');
const HASH_LENGTH = 10;

const { outputFiles } = await build({
  entryPoints: { app: path.join(SOURCE, 'main.tsx'), style: path.join(SOURCE, 'app.css') },
  bundle: true,
  minify: true,
  write: false,
  outdir: TARGET,
  charset: 'utf8',
  format: 'esm',
  target: ['es2023', 'chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
let index = readFileSync(path.join(SOURCE, 'index.html'), 'utf8');
for (const { path: file, contents } of outputFiles) {
  const extension = path.extname(file);
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, HASH_LENGTH);
  const name = `app.${hash}${extension}`;
  index = index.replace(`{{app${extension}}}`, name);
  keep(name, contents);
}
keep('index.html', Buffer.from(index));

/** As it is, and as browsers like it best. */
function keep(name: string, contents: Uint8Array): void {
  writeFileSync(path.join(TARGET, name), contents);
  writeFileSync(path.join(TARGET, `${name}.gz`), gzipSync(contents, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(path.join(TARGET, `${name}.br`), brotliCompressSync(contents, { params }));
}
