import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { pageRoutes } from '../../src/admin/page.js';
import { ask, serve } from '../admin/ask.js';
import { tempDir } from '../support/temp.js';

const routes = pageRoutes();

/** What a browser fetches to show the page. */
async function filesOf(address: Parameters<typeof ask>[0]) {
  const index = await ask(address, '/');
  const names = [...index.body.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, name]) => `/${name}`);
  return { index, names };
}

test('the page is at most 60 KB in at most 4 requests', async (t) => {
  const { address } = await serve(t, { routes });
  const { index, names } = await filesOf(address);
  t.is(index.status, 200);
  t.true(names.length >= 2 && names.length <= 3);
  let bytes = gzipSync(index.body).length;
  for (const name of names) bytes += gzipSync((await ask(address, name)).body).length;
  t.true(bytes <= 60 * 1024, `${bytes} bytes`);
});

test('the page is open and holds no data where a token is set; its names do not change with the path', async (t) => {
  const { address } = await serve(t, { routes, token: 'secret' });
  const { index, names } = await filesOf(address);
  t.is(index.status, 200);
  t.notRegex(index.body, /(?:src|href)="\//);
  for (const name of names) t.is((await ask(address, name)).status, 200);
  t.is((await ask(address, '/api/status')).status, 401);
});

test('browsers are told to run nothing but the page itself', async (t) => {
  const { address } = await serve(t, { routes });
  const { index, names } = await filesOf(address);
  const policy = String(index.headers['content-security-policy']);
  t.regex(policy, /default-src 'none'/);
  t.regex(policy, /frame-ancestors 'none'/);
  t.notRegex(policy, /unsafe|https?:/);
  t.is(index.headers['referrer-policy'], 'no-referrer');
  t.is(index.headers['x-content-type-options'], 'nosniff');
  t.is(index.headers['cache-control'], 'no-store');
  t.notRegex(index.body, /<script(?![^>]* src=)|<style| on\w+=| style=/);
  for (const name of names) t.regex(String((await ask(address, name)).headers['cache-control']), /immutable/);
});

test('what a browser has is not sent again, and what it takes compressed is', async (t) => {
  const { address } = await serve(t, { routes });
  const { names } = await filesOf(address);
  const [script = ''] = names.filter((name) => name.endsWith('.js'));
  const plain = await ask(address, script);
  const etag = String(plain.headers.etag);
  t.is((await ask(address, script, { headers: { 'if-none-match': etag } })).status, 304);
  const packed = await ask(address, script, { headers: { 'accept-encoding': 'gzip, br' } });
  t.is(packed.headers['content-encoding'], 'br');
  t.is(packed.headers.vary, 'accept-encoding');
  const without = await ask(address, script, { headers: { 'accept-encoding': 'br;q=0' } });
  t.is(without.headers['content-encoding'], undefined);
  const file = new URL(`../../page/${script.replace('/assets/', '')}.br`, import.meta.url);
  t.is(brotliDecompressSync(readFileSync(file)).toString(), plain.body);
});

test('nothing else is served from there, and a build without a page says so', async (t) => {
  const { address } = await serve(t, { routes });
  for (const path of ['/assets/index.html', '/assets/..%2f..%2fpackage.json', '/assets/no.js'])
    t.is((await ask(address, path)).status, 404, path);
  const bare = await serve(t, { routes: pageRoutes(tempDir(t)) });
  const reply = await ask(bare.address, '/');
  t.is(reply.status, 404);
  t.regex(reply.body, /npm run build/);
});
