import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { tempDir } from '../support/temp.js';

const CHILD = fileURLToPath(new URL('full-child.js', import.meta.url));

test('a disk that is full again and again: the history stops, says so, and goes on; minutes are there as a whole', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CHILD, `${tempDir(t)}/history`]);
  t.is(stderr, '', 'lmdb prints on stderr what it cannot write');
  const { states, kept, ...rest } = JSON.parse(stdout) as { states: string[]; kept: number };
  t.deepEqual(states, ['ok', ...Array.from({ length: 6 }, () => ['stopped', 'stopped', 'ok']).flat()]);
  t.true(kept > 6, `${kept} minutes`);
  t.deepEqual(rest, { unhandled: 0, broken: [] } as object);
});
