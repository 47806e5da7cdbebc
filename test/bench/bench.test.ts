import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { tempDir } from '../support/temp.js';

const RUN = fileURLToPath(new URL('../../tools/bench/run.js', import.meta.url));

interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly failures: readonly string[];
  readonly lines: readonly {
    readonly id: string;
    readonly unit: string;
    readonly measured: { readonly median: number; readonly min: number; readonly max: number };
    readonly rounds: readonly { readonly measured: number }[];
  }[];
}

test('the short benchmark runs every case, and every case comes out right', async (t) => {
  t.timeout(280_000);
  const json = path.join(tempDir(t), 'bench.json');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [RUN, '--short', '--json', json]);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  t.deepEqual(report.failures, []);
  t.is(report.node, process.version);
  for (const key of ['cpu', 'cores', 'memoryBytes', 'system', 'loadAverage'])
    t.true(key in report.machine, key);
  for (const key of ['mariadb', 'mysql2', 'lmdb', 'nact']) t.regex(report.versions[key]!, /^\d+\./, key);
  const ids = report.lines.map(({ id }) => id);
  for (const id of [
    'A cpu',
    'A await',
    'D',
    'U',
    'U′',
    'H',
    'C 1',
    'I memory',
    'I cpu',
    'L p50',
    'L p99',
    'O memory',
    'O journal',
    'R',
    'S',
    'V list',
    'V search',
    'V service',
    'W U',
    'W H',
    'W L',
    'W turn',
    'K cpu',
    'K file',
    'K day',
  ]) {
    t.true(ids.includes(id), id);
    t.true(stdout.includes(`\n${id} `), `${id} is in the table`);
  }
  for (const { id, measured, rounds } of report.lines) {
    t.true(measured.min <= measured.median && measured.median <= measured.max, id);
    t.is(rounds.length, 1, id);
  }
  t.regex(stderr, /^U round 1: /m);
});

test('wrong usage is told with exit code 2', async (t) => {
  const run = promisify(execFile)(process.execPath, [RUN, '--case', 'X']);
  const error = await t.throwsAsync(run);
  t.like(error, { code: 2 });
});
