import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

// A reporter may start from there meanwhile: each file is whole at any moment, and old ones go last.
mkdirSync(TARGET, { recursive: true });
const written = new Set<string>();
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
  put(name, contents);
  put(`${name}.gz`, gzipSync(contents, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  put(`${name}.br`, brotliCompressSync(contents, { params }));
}

for (const name of readdirSync(TARGET))
  if (!written.has(name) && !name.endsWith('.new')) rmSync(path.join(TARGET, name), { force: true });

function put(name: string, contents: string | Uint8Array): void {
  const part = path.join(TARGET, `${name}.${process.pid}.new`);
  writeFileSync(part, contents);
  renameSync(part, path.join(TARGET, name));
  written.add(name);
}
