import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { lockJournalToRead } from '../../src/lmdb/lock.js';
import { tempDir } from '../support/temp.js';

const CHILD = fileURLToPath(new URL('lock-child.js', import.meta.url));

/** Has a process take the lock; resolves with what it says. */
async function take(t: ExecutionContext, how: string, file: string, env: NodeJS.ProcessEnv = process.env) {
  const child: ChildProcess = spawn(process.execPath, [CHILD, how, file], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { child, said: said.trim() };
}

for (const how of ['package', 'command']) {
  test(`the lock by ${how} is one process's, names it, and goes with it, however it ends`, async (t) => {
    const file = path.join(tempDir(t), 'lock');
    const first = await take(t, how, file);
    t.is(first.said, 'locked');
    t.is(readFileSync(file, 'utf8'), `${first.child.pid}\n`);
    const second = await take(t, how, file);
    t.regex(
      second.said,
      new RegExp(`^JOURNAL_IN_USE: the journal .* in use by process ${first.child.pid}: `),
    );
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    t.is((await take(t, how, file)).said, 'locked');
  });
}

test('a journal whose lock file was deleted is its process’s still: none else writes it, and no tool reads it', async (t) => {
  const file = path.join(tempDir(t), 'lock');
  const first = await take(t, 'package', file);
  rmSync(file);
  t.throws(() => lockJournalToRead(file, 'the journal', 'stop it'), { code: 'JOURNAL_IN_USE' });
  t.regex(
    (await take(t, 'package', file)).said,
    /^JOURNAL_IN_USE: .* in use by another process, whose lock file was deleted: /,
  );
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  t.is((await take(t, 'package', file)).said, 'locked');
});

test('where there is nothing to lock with, that is said, with what is missing', async (t) => {
  const { said } = await take(t, 'command', path.join(tempDir(t), 'lock'), { PATH: '/nowhere' });
  t.regex(said, /^JOURNAL_UNUSABLE: .*ENOENT.*fs-native-extensions has no build .* flock is needed/);
});
