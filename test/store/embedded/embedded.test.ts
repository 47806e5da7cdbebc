import { execFile, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { open as openLmdb } from 'lmdb';
import { readMeta } from '../../../src/lmdb/meta.js';
import { StoreError } from '../../../src/model/errors.js';
import { embeddedStore } from '../../../src/store/embedded/store.js';
import { storeContract } from '../../../src/testing/index.js';
import { runCli, startServe } from '../../../tools/shared/process.js';
import { service } from '../../support/rows.js';
import { tempDir } from '../../support/temp.js';
import { collect, LANE } from '../collect.js';

storeContract(
  test,
  (t: ExecutionContext) => {
    const dir = path.join(tempDir(t), 'store');
    return { store: () => embeddedStore({ dir }) };
  },
  { name: 'embedded' },
);

const EMBEDDED = JSON.stringify(new URL('../../../src/store/embedded/store.js', import.meta.url).href);
const ROWS = JSON.stringify(new URL('../../support/rows.js', import.meta.url).href);
const PRELUDE = `
  const { embeddedStore } = await import(${EMBEDDED});
  const { service } = await import(${ROWS});
  const store = embeddedStore({ dir: process.argv[1] });
  await store.open();
  const writer = store.writer({ partition: 0, partitions: 1, journalId: 'child' });
`;

test('old rows go when they are told to, all others stay', async (t) => {
  const store = embeddedStore({ dir: tempDir(t) });
  t.teardown(() => store.close());
  const writer = store.writer(LANE);
  await writer.upsert(service(1, 2500, 10));
  await writer.upsert(service(2, 10, 20));
  const forget = async (dryRun: boolean) => {
    let last: unknown;
    for await (last of store.forget!({ isOld: ({ ts }) => ts < 20, beforeS: 20, dryRun }));
    return last;
  };
  t.deepEqual(await forget(true), { looked: 2510, old: 2500, removed: 0 });
  t.is((await collect(store)).length, 2510);
  t.deepEqual(await forget(false), { looked: 2510, old: 2500, removed: 2500 });
  const rows = await collect(store);
  t.is(rows.length, 10);
  t.true(rows.every(({ ts }) => ts === 20));
});

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

/** Runs a script in a process that may write files of so many blocks of 512 bytes: the kernel fails longer ones. */
async function onSmallDisk(blocks: number, script: string, dir: string): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)('sh', [
    ...['-c', `ulimit -S -f ${blocks}; exec "$@"`, 'sh'],
    ...[process.execPath, '--input-type=module', '-e', script, dir],
  ]);
  if (stderr !== '') throw new Error(`lmdb prints on stderr what it cannot write: ${stderr}`);
  return JSON.parse(stdout);
}

test('a full disk rejects as retry-slowly with the reason before lmdb comes to it, leaves the process up and what was stored readable, and goes on when there is room', async (t) => {
  const script = `${PRELUDE}
    const { execFileSync } = await import('node:child_process');
    let stored = 0;
    let unhandled = 0;
    process.on('unhandledRejection', () => unhandled++);
    const failures = new Set();
    const writers = [0, 1, 2, 3].map((partition) => store.writer({ partition, partitions: 4, journalId: 'child' }));
    const fill = (until) => Promise.all(writers.map(async (writer, lane) => {
      for (let modid = lane, tries = 0; tries < until; modid += 4)
        try { await writer.upsert(service(modid, 1000, tries)); stored = Math.max(stored, modid); }
        catch (error) { failures.add(error.class + ' ' + error.code); tries++; modid -= 4; }
    }));
    await fill(20);
    let read = 0;
    for await (const row of store.read.rows()) read++;
    execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
    await writer.upsert(service(-1, 10_000, 1));
    let after = 0;
    for await (const row of store.read.rows()) after++;
    console.log(JSON.stringify({ whole: read % 1000, some: read > 0, more: after - read, failures: [...failures], unhandled }));
    await store.close();`;
  t.deepEqual(await onSmallDisk(12_000, script, tempDir(t)), {
    ...{ whole: 0, some: true, more: 10_000, failures: ['retry-slowly EFBIG'], unhandled: 0 },
  });
});

test('a store that the disk has no room to make is away, not wrong, and is made when there is room', async (t) => {
  const dir = path.join(tempDir(t), 'store');
  const script = `
    const { embeddedStore } = await import(${EMBEDDED});
    const store = embeddedStore({ dir: process.argv[1] });
    const { class: kind, code } = await store.open().catch((error) => error);
    await store.close();
    console.log(JSON.stringify([kind, code]));`;
  t.deepEqual(await onSmallDisk(40, script, dir), ['retry-slowly', 'EFBIG']);
  const store = embeddedStore({ dir });
  await store.open();
  await store.writer(LANE).upsert(service(1, 10, 1));
  await store.close();
});

test('a store that is cut off anywhere is refused as it is, by all who open it, and ends no process; what only misses free pages is sound', async (t) => {
  const whole = path.join(tempDir(t), 'store');
  const store = embeddedStore({ dir: whole });
  await store.open();
  for (let modid = 0; modid < 50; modid++) await store.writer(LANE).upsert(service(modid, 1000, 1));
  await store.close();
  const bytes = readFileSync(path.join(whole, 'data.mdb'));
  t.true(bytes.length > 3_000_000);
  for (const size of [100_000, 8192, 20_000, 1_000_000]) {
    const dir = path.join(tempDir(t), 'store');
    const file = path.join(dir, 'data.mdb');
    writeData(dir, bytes.subarray(0, size));
    const env = { LARS_STORE_URL: `embedded:${dir}`, LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
    const cwd = tempDir(t);
    if (size === 100_000) {
      // In processes of their own first: what is not refused would end this one.
      const serve = await t.throwsAsync(startServe([], { cwd, env }));
      t.regex(serve?.message ?? '', /ended with code 2 before it was ready: .*is cut off/s);
      const check = await runCli(['check', '--store'], { cwd, env });
      t.is(check.code, 2);
      t.regex(check.stdout + check.stderr, /is cut off: it has 100000 bytes/);
    }
    for (const act of ['open', 'check'] as const) {
      const error = await t.throwsAsync(embeddedStore({ dir })[act](), {
        instanceOf: StoreError,
        code: 'STORE_FORMAT',
      });
      t.is(error.class, 'configuration');
      t.true(error.message.includes(`${file} is cut off: it has ${size} bytes instead of `), error.message);
      t.regex(error.message, /give store\.url a folder of its own, or bring back a copy/);
    }
    t.is(readFileSync(file).length, size);
  }
  const { used } = usedBytes(path.join(whole, 'data.mdb'));
  const dir = path.join(tempDir(t), 'store');
  writeData(dir, bytes.subarray(0, used));
  const shorter = embeddedStore({ dir });
  await shorter.open();
  t.is((await collect(shorter)).length, 50_000);
  await shorter.close();
});

test('who only reads leaves the file as long as it is', async (t) => {
  const dir = tempDir(t);
  const store = embeddedStore({ dir });
  await store.open();
  await store.writer(LANE).upsert(service(1, 1000, 1));
  await store.close();
  const file = path.join(dir, 'data.mdb');
  truncateSync(file, usedBytes(file).used);
  const { size } = statSync(file);
  await store.open();
  t.is((await collect(store)).length, 1000);
  await store.close();
  t.is(statSync(file).size, size);
});

function usedBytes(file: string): { readonly used: number } {
  const fd = openSync(file, 'r');
  const meta = readMeta(fd)!;
  closeSync(fd);
  return { used: meta.usedBytes };
}

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

test('processes that open and close the store at the same moments do not harm each other', async (t) => {
  const dir = tempDir(t);
  const child = spawn(process.execPath, ['--input-type=module', '-e', OPENS_AND_CLOSES, dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.is((await lines.next()).value, 'begins');
  for (let round = 1; round <= 500; round++) {
    const store = embeddedStore({ dir });
    await store.writer(LANE).upsert(service(1, 1, round));
    await store.close();
  }
  child.stdin.end();
  t.is((await lines.next()).value, 'nothing failed');
});

const OPENS_AND_CLOSES = `
  const { embeddedStore } = await import(${EMBEDDED});
  let isOver = false;
  process.stdin.on('end', () => { isOver = true; }).resume();
  console.log('begins');
  while (!isOver) {
    const store = embeddedStore({ dir: process.argv[1] });
    for await (const { ts } of store.read.rows()) if (!(ts > 0)) throw new Error('no row');
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
  }
  console.log('nothing failed');
`;
