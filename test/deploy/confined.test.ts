import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ReporterAnswer } from '../../src/index.js';
import { connectAll, KeptSite } from '../keeper/site.js';
import { tempDir } from '../support/temp.js';
import { PROJECT, pathOf, textOf } from './files.js';

const UNIT = textOf('deploy/systemd/lars-reporter.service');
const WRITABLE = '/srv';

/** Of the unit, the words of a key. */
const wordsOf = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(UNIT)![1]!.split(' ');

/** The system calls of a group, as systemd has it. `sh tools/shared/need.sh systemd` installs it. */
function callsOf(group: string): string[] {
  const args = ['--no-pager', 'syscall-filter', group];
  const { stdout, error } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  if (error) throw error;
  const [, ...lines] = stdout.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((name) => (name.startsWith('@') ? callsOf(name) : [name]));
}

/** A reporter as the unit confines it. `sh tools/shared/need.sh seccomp` installs what that needs. */
function confined(t: ExecutionContext, cwd: string): Promise<KeptSite> {
  const isRoot = process.getuid?.() === 0;
  const node = path.parse(process.execPath);
  const program = [
    ...(isRoot ? ['unshare', '-m'] : ['unshare', '-r', '-m']),
    ...['/usr/bin/python3', pathOf('test/deploy/confine.py')],
    ...[wordsOf('SystemCallFilter').flatMap(callsOf).join(), wordsOf('RestrictAddressFamilies').join()],
    ...[`${PROJECT}=/mnt`, `${node.dir}=/media`, `${cwd}=${WRITABLE}`, '--'],
    ...[`/media/${node.base}`, '/mnt/dist/src/cli/main.js'],
  ];
  const env = isRoot ? {} : { LARS_NAMESPACE: 'users' };
  return KeptSite.start(t, env, cwd, { program: program as [string, ...string[]] });
}

test('what the units allow is enough: no root, no capability, a file system to read, few system calls', async (t) => {
  const cwd = tempDir(t);
  writeFileSync(path.join(cwd, 'config.json'), '{}');
  const site = await confined(t, cwd);
  for (const pid of [site.cli.child.pid!, site.childPid]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    t.regex(status, /^CapEff:\t0+$/m);
    t.regex(status, /^Seccomp:\t2$/m);
    if (process.getuid?.() === 0) t.notRegex(status, /^Uid:.*\b0\b/m);
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
    const writable = mounts
      .map((line) => line.split(' '))
      .filter(
        ([, , , , place = '', options = '']) =>
          options.startsWith('rw') && !/^\/(proc|sys|dev)\b/.test(place),
      );
    t.deepEqual(
      writable.map(([, , , , place]) => place),
      [WRITABLE],
    );
  }

  const agents = await connectAll(t, site.port, 3);
  const callers = agents.map(({ caller }) => caller);
  const report = async (round: number) => {
    await Promise.all(agents.map((agent) => agent.send(agent.frame(round))));
    await site.storedAt(callers, round);
  };
  await report(1);
  writeFileSync(path.join(cwd, 'config.json'), '{ "log": { "level": "debug" } }');
  site.cli.child.kill('SIGHUP');
  await site.logged('the configuration was read again');
  await site.handOver();
  await report(2);
  await site.crash();
  await report(3);
  const { problems } = await site.ask<ReporterAnswer>('/api/reporter');
  t.deepEqual(problems, []);
  const { code, stderr } = await site.cli.stop();
  t.is(code, 0);
  t.notRegex(
    stderr,
    /EPERM|EACCES|EROFS|not permitted|denied|"level":"error".*(?<!a new one gets its connections"})$/m,
  );
});
