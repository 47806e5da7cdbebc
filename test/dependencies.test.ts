import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { PROJECT } from './support/sources.js';
import { tempDir } from './support/temp.js';

const run = promisify(execFile);

interface Locked {
  readonly license?: string;
  readonly optional?: boolean;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** What may be shipped together with a program under the MIT license, without asking anybody. */
const LICENSES = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
]);
/** Each has a build of its own for the system, and works without its script: see the second test. */
const WITH_SCRIPTS = ['node_modules/lmdb', 'node_modules/msgpackr-extract'];

const rootFile = (name: string) => path.join(PROJECT, name);
const locked = () =>
  Object.entries(
    (JSON.parse(readFileSync(rootFile('package-lock.json'), 'utf8')) as { packages: Record<string, Locked> })
      .packages,
  ).filter(([place]) => place !== '');

test('every package that runs is of a license that allows it, comes with its checksum, and brings no script of its own', (t) => {
  const running = locked().filter(([, { dev }]) => dev !== true);
  t.true(running.length > 20);
  for (const [place, { license, integrity, optional, hasInstallScript }] of running) {
    t.true(LICENSES.has(license ?? ''), `${place}: ${license}`);
    // Builds for systems that npm has not seen when it wrote the file come without.
    if (integrity === undefined) t.true(optional, place);
    else t.regex(integrity, /^sha512-/, place);
    if (hasInstallScript)
      t.true(WITH_SCRIPTS.includes(place), `${place} has a script that runs at its installation`);
  }
});

test('installed without any script of a package, the reporter takes a report and stores it', async (t) => {
  t.timeout(180_000);
  const dir = tempDir(t);
  for (const name of ['package.json', 'package-lock.json']) cpSync(rootFile(name), path.join(dir, name));
  await run('npm', ['ci', '--ignore-scripts', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: dir,
  });
  for (const part of ['dist/src', 'proto', 'schema'])
    cpSync(rootFile(part), path.join(dir, part), { recursive: true });
  const script = `
    import { startReporter } from './dist/src/index.js';
    const reporter = await startReporter({
      listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 },
      journal: { dir: 'journal' }, store: { url: 'embedded:store' },
    });
    const results = [{ ip: 1, port: 1, succ: 1, err: 0, overload: false }];
    await reporter.report({ modid: 1, cmdid: 1, caller: 1, ts: 1, results });
    await reporter.drain();
    process.stdout.write(JSON.stringify(reporter.ledger()));
    await reporter.stop();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: dir });
  t.like(JSON.parse(stdout), { received: 1, upserted: 1, pending: 0, balanced: true });
});
