import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { tempDir } from '../support/temp.js';

const CHILD = fileURLToPath(new URL('full-child.js', import.meta.url));

test('a disk that is full again and again: no commit reaches lmdb that it could not write, and nothing is lost', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CHILD, `${tempDir(t)}/journal`]);
  t.is(stderr, '', 'lmdb prints on stderr what it cannot write');
  const { failures, ...rest } = JSON.parse(stdout) as { failures: number };
  t.true(failures >= 400, `${failures} commits failed`);
  t.deepEqual(rest, { unhandled: 0, lost: [] } as object);
});
