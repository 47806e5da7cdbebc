import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import test from 'ava';
import { open as openLmdb } from 'lmdb';
import { StoreError } from '../../../src/model/errors.js';
import { embeddedStore } from '../../../src/store/embedded/store.js';
import { service } from '../../support/rows.js';
import { tempDir } from '../../support/temp.js';
import { collect, LANE, testContract } from '../contract.js';

testContract({
  name: 'embedded',
  fresh: async (t) => {
    const dir = path.join(tempDir(t), 'store');
    return () => embeddedStore({ dir });
  },
});

const EMBEDDED = JSON.stringify(new URL('../../../src/store/embedded/store.js', import.meta.url).href);
const ROWS = JSON.stringify(new URL('../../support/rows.js', import.meta.url).href);
const PRELUDE = `
  const { embeddedStore } = await import(${EMBEDDED});
  const { service } = await import(${ROWS});
  const store = embeddedStore({ dir: process.argv[1] });
  await store.open();
  const writer = store.writer({ partition: 0, partitions: 1, journalId: 'child' });
`;

test('another process reads while this one writes', async (t) => {
  const dir = tempDir(t);
  const store = embeddedStore({ dir });
  await store.open();
  t.teardown(() => store.close());
  const writer = store.writer(LANE);
  await writer.upsert(service(1, 1000, 1));

  const reading = promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `${PRELUDE} let n = 0; for await (const row of store.read.rows({ modid: 1 })) n++; console.log(n); await store.close();`,
    dir,
  ]);
  let done = false;
  const child = reading.finally(() => {
    done = true;
  });
  for (let modid = 2; !done; modid++) await writer.upsert(service(modid, 1000, 1));
  t.is((await child).stdout, '1000\n');
});

test('a row that was confirmed is there after kill -9', async (t) => {
  const dir = tempDir(t);
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `${PRELUDE} for (let modid = 0; ; modid++) { await writer.upsert(service(modid, 200, 1)); console.log(modid); }`,
      dir,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => void child.kill('SIGKILL'));
  let confirmed = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    confirmed = Number(line);
    if (confirmed === 25) child.kill('SIGKILL');
  }
  const store = embeddedStore({ dir });
  await store.open();
  t.teardown(() => store.close());
  const rows = await collect(store);
  t.true(confirmed >= 25);
  t.true(rows.length >= (confirmed + 1) * 200);
});

test('a full disk rejects as retry-slowly with the reason, leaves the process up and what was stored readable', async (t) => {
  const dir = tempDir(t);
  const script = `${PRELUDE}
    let stored = 0;
    const failures = [];
    for (let modid = 0; failures.length < 3; modid++)
      try { await writer.upsert(service(modid, 1000, 1)); stored += 1000; }
      catch (error) { failures.push([error.class, error.code]); }
    let read = 0;
    for await (const row of store.read.rows()) read++;
    console.log(JSON.stringify({ stored, read, failures }));`;
  // Blocks of 512 bytes: the process may write files of 1 MB at most.
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    'ulimit -f 2000; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
    dir,
  ]);
  const { stored, read, failures } = JSON.parse(stdout) as {
    stored: number;
    read: number;
    failures: string[][];
  };
  t.true(stored > 0);
  t.is(read, stored);
  t.deepEqual(failures, Array(3).fill(['retry-slowly', 'EIO']));
});

const refusals: [what: string, code: string, make: (dir: string) => void | Promise<void>][] = [
  ['another format version', 'STORE_FORMAT', (dir) => writeRoot(dir, 'lars-reporter-store', '2')],
  ['the database of something else', 'STORE_FORMAT', (dir) => writeRoot(dir, 'something', 'else')],
  ['a data.mdb that is no database', 'STORE_FORMAT', (dir) => writeData(dir, Buffer.alloc(100_000, 'x'))],
  ['a data.mdb that was cut off', 'STORE_FORMAT', (dir) => writeData(dir, Buffer.alloc(30, 0))],
  ['a file in place of the folder', 'ENOTDIR', (dir) => writeFileSync(dir, '')],
];

for (const [what, code, make] of refusals)
  for (const act of ['open', 'check'] as const)
    test(`${act} refuses ${what}, and leaves it as it was`, async (t) => {
      const dir = path.join(tempDir(t), 'store');
      await make(dir);
      const error = await t.throwsAsync(embeddedStore({ dir })[act](), { instanceOf: StoreError, code });
      t.is(error.class, 'configuration');
      t.true(error.message.includes(dir));
    });

test('check of a store that was never opened makes nothing', async (t) => {
  const parent = tempDir(t);
  await embeddedStore({ dir: path.join(parent, 'a', 'store') }).check();
  t.deepEqual(readdirSync(parent), []);
});

async function writeRoot(dir: string, key: string, value: string): Promise<void> {
  const root = openLmdb<Buffer, Buffer>({
    path: dir,
    keyEncoding: 'binary',
    encoding: 'binary',
    overlappingSync: false,
  });
  root.putSync(Buffer.from(key), Buffer.from(value));
  await root.close();
}

function writeData(dir: string, bytes: Buffer): void {
  mkdirSync(dir);
  writeFileSync(path.join(dir, 'data.mdb'), bytes);
}
