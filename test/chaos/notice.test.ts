import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seeded } from '../../src/testing/index.js';
import { keeperFaults } from '../../tools/chaos/faults/keeper.js';
import { KINDS, planOf } from '../../tools/chaos/notice/plan.js';
import { receivedBefore } from '../../tools/chaos/notice/span.js';
import { Service } from '../../tools/chaos/service.js';
import { Timeline } from '../../tools/chaos/timeline.js';
import { processesNaming } from '../../tools/shared/procfs.js';
import { tempDir } from '../support/temp.js';

const RUN = fileURLToPath(new URL('../../tools/chaos/notice/run.js', import.meta.url));

test('ten minutes have twenty of each kind, in the order of their times; a seed repeats them', (t) => {
  const plan = planOf(10, seeded(7));
  for (const kind of KINDS) t.is(plan.filter((event) => event.kind === kind).length, 20);
  t.deepEqual(
    plan.map(({ atMs }) => atMs),
    plan.map(({ atMs }) => atMs).sort((one, other) => one - other),
  );
  t.true(plan.every(({ atMs }) => atMs >= 0 && atMs < 600_000));
  t.deepEqual(planOf(10, seeded(7)), plan);
});

test('every kind is a fault of the chaos run', (t) => {
  const dir = tempDir(t);
  const service = new Service({
    dir,
    timeline: new Timeline(
      () => {},
      () => {},
    ),
    writers: 1,
    config: {},
  });
  const names = new Set(keeperFaults({ service }).map(({ name }) => name));
  for (const kind of KINDS) t.true(names.has(kind), kind);
});

test('what processes had received that have handed over is what they log, and nothing else', (t) => {
  const line = (received: number) =>
    JSON.stringify({ level: 'info', received, msg: 'handed over; everything read is journaled' });
  const other = JSON.stringify({ level: 'info', received: 7, msg: 'stopped' });
  t.is(receivedBefore([line(3), other, 'no JSON', line(40), ''].join('\n')), 43);
});

test('a short trial: nobody loses a connection, and nothing is left over', async (t) => {
  t.timeout(170_000);
  // Short, for the sake of the database's socket.
  const dir = path.join(tempDir(t), 't');
  mkdirSync(dir);
  const args = [RUN, '--minutes', '0.1', '--agents', '30', '--seed', '20261128'];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, TMPDIR: dir },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) t.log(output, errors);
  t.is(code, 0);
  t.regex(output, /^agents 30, lost 0$/m);
  t.regex(output, /^events 1 handed over, 1 reader killed, 1 configuration changed$/m);
  t.regex(output, /^violations 0$/m);
  t.deepEqual(readdirSync(dir), []);
  t.deepEqual(processesNaming(dir), []);
});
