import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { HANDLER_LIMITS } from '../../src/intake/handler-load.js';
import { REPLY_LIMITS } from '../../src/intake/replies.js';
import { MAX_BODY_BYTES } from '../../src/wire/index.js';
import { writeApi } from '../../tools/docs/write-api.js';
import { PROJECT } from '../support/sources.js';
import { tempDir } from '../support/temp.js';

const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');

/** All files below a folder, by their place in it. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort();

test('docs/api says of every exported name what its docstring says; otherwise: npm run docs:api', async (t) => {
  t.timeout(180_000);
  const written = path.join(tempDir(t), 'api');
  await writeApi(PROJECT, written);
  const kept = path.join(PROJECT, 'docs/api');
  t.deepEqual(filesIn(kept), filesIn(written));
  for (const file of filesIn(written))
    t.is(
      readFileSync(path.join(kept, file), 'utf8'),
      readFileSync(path.join(written, file), 'utf8'),
      `docs/api/${file}`,
    );
});

test('each entry of the package has its page', (t) => {
  const { exports } = JSON.parse(textOf('package.json')) as { exports: Record<string, unknown> };
  const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
  const pages = entries.map((entry) => `${path.posix.join('lars-reporter', entry)}.md`);
  t.deepEqual(filesIn(path.join(PROJECT, 'docs/api')), [...pages, 'README.md'].sort());
});

test('the bounds of handlers and replies in docs/embedding.md and in their docstrings are those of the code', (t) => {
  const mebibytes = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  const { maxFrames, maxBytes, waitMs } = HANDLER_LIMITS;
  const handlers = [maxFrames.toLocaleString('en'), mebibytes(maxBytes), `${waitMs / 1000} s`];
  const replies = [mebibytes(REPLY_LIMITS.maxBytes), mebibytes(REPLY_LIMITS.maxTotalBytes)];
  const rows = /\n## Handlers\n([\s\S]*?)\n## /.exec(textOf('docs/embedding.md'))![1]!;
  for (const bound of [...handlers, ...replies, MAX_BODY_BYTES.toLocaleString('en')])
    t.true(rows.includes(bound), bound);
  const source = textOf('src/intake/handlers.ts');
  for (const bound of [...handlers, ...replies]) t.true(source.includes(bound), bound);
});

test('what docs/embedding.md shows of a store’s test is what is run', (t) => {
  const flat = (text: string) => text.replaceAll(/\s+/g, ' ');
  const [block] = /storeContract\(test[\s\S]*?\n\}\);/.exec(textOf('docs/embedding.md'))!;
  t.true(flat(textOf('examples/own-store.test.ts')).includes(flat(block)));
});
