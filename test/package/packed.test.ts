import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { startAgent } from '../../src/client/index.js';
import { numberedReport, until } from '../../src/testing/index.js';
import {
  decodeRouteResponse,
  encodeFrame,
  encodeRouteRequest,
  FrameDecoder,
  MessageId,
} from '../../src/wire/index.js';
import { PROJECT } from '../support/sources.js';
import { tempDir } from '../support/temp.js';

const run = promisify(execFile);
const BOUND = { boundMs: 30_000 };
const inProject = (...parts: string[]) => path.join(PROJECT, ...parts);
const program = (name: string) => inProject('node_modules/.bin', name);

/** What docs/embedding.md says. */
const MOST_BYTES = 64_000_000;

/** Named in docs/compatibility.md, beside the one that runs this. */
const VERSIONS = [20, 22, 24, 26];

let folder: { teardown(end: () => void): void; end: () => void };
/** The package as it would be published. */
let tarball: string;
/** A program of somebody who has followed the README. */
let host: string;

test.before(async (t) => {
  t.timeout(180_000);
  const ends: (() => void)[] = [];
  folder = {
    teardown: (end) => ends.push(end),
    end: () => {
      for (const end of ends) end();
    },
  };
  const dir = tempDir(folder);
  const packed = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir], {
    cwd: PROJECT,
  });
  tarball = path.join(dir, packed.stdout.trim());
  host = path.join(dir, 'host');
  mkdirSync(host);
  writeFileSync(path.join(host, 'package.json'), '{ "private": true, "type": "module" }');
  const { nact = '' } = dependencies();
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, tarball, `nact@${nact}`], { cwd: host });
  const [, source = ''] = /## In your own node[\s\S]*?```ts\n([\s\S]*?)```/.exec(textOf('README.md'))!;
  // Any free port, so that tests can run side by side.
  writeFileSync(path.join(host, 'host.ts'), source.replace('7779', '0'));
  copyFileSync(inProject('test/package/usage.ts'), path.join(host, 'usage.ts'));
  copyFileSync(inProject('examples/own-store.ts'), path.join(host, 'own-store.ts'));
  copyFileSync(inProject('examples/own-store.test.ts'), path.join(host, 'own-store.test.ts'));
});

test.after.always(() => folder?.end());

const textOf = (file: string) => readFileSync(inProject(file), 'utf8');
const dependencies = () =>
  (JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> }).dependencies;

test.serial('the package is what publishers expect', async (t) => {
  const { stdout } = await run(program('publint'), ['run', tarball, '--strict']);
  t.regex(stdout, /All good!/);
});

test.serial('the types of each entry are found by every resolution that knows `exports`', async (t) => {
  await t.notThrowsAsync(
    run(program('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']),
  );
});

test.serial('what is installed without development parts is as small as the documentation says', (t) => {
  const entries = readdirSync(path.join(host, 'node_modules'), { recursive: true, withFileTypes: true });
  const bytes = entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
  t.log(`${(bytes / 1e6).toFixed(1)} MB`);
  t.true(bytes < MOST_BYTES, `${bytes}`);
  t.true(bytes > 0.7 * MOST_BYTES, `${bytes}: it has become smaller; say so`);
  t.regex(textOf('docs/embedding.md'), new RegExp(`below ${MOST_BYTES / 1e6} MB`));
});

test.serial(
  'the program of the README and every use of the API compile strictly against the package',
  async (t) => {
    t.timeout(60_000);
    mkdirSync(path.join(host, 'node_modules/@types'), { recursive: true });
    const options = {
      ...{ strict: true, module: 'NodeNext', target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable'] },
      ...{ outDir: 'out', skipLibCheck: false, types: ['node'], verbatimModuleSyntax: true },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true },
    };
    const settings = { compilerOptions: options, include: ['*.ts'] };
    writeFileSync(path.join(host, 'tsconfig.json'), JSON.stringify(settings));
    const compiler = program('tsc');
    await t.notThrowsAsync(run(process.execPath, [compiler], { cwd: host }).catch(told));
    // Types of those who are less strict are not stricter than the code that they have.
    const lax = {
      ...settings,
      compilerOptions: { ...options, exactOptionalPropertyTypes: false, noEmit: true },
    };
    writeFileSync(path.join(host, 'tsconfig.json'), JSON.stringify(lax));
    await t.notThrowsAsync(run(process.execPath, [compiler], { cwd: host }).catch(told));
  },
);

/** What a compiler says stands on its standard output. */
function told(error: { readonly stdout?: string }): never {
  throw new Error(error.stdout);
}

for (const version of ['this', ...VERSIONS])
  test.serial(
    `the program of the README runs on Node ${version}, restarts, and ends with nothing open`,
    async (t) => {
      t.timeout(120_000);
      const node = version === 'this' ? process.execPath : await fetched(Number(version));
      if (node === undefined) {
        t.log(`NOT RUN on Node ${version}: it cannot be fetched here`);
        t.pass();
        return;
      }
      const cwd = path.join(host, `run-${version}`);
      mkdirSync(cwd);
      symlinkSync(path.join(host, 'node_modules'), path.join(cwd, 'node_modules'));
      const child = spawn(node, [path.join(host, 'out/host.js')], { cwd });
      t.teardown(() => void child.kill('SIGKILL'));
      const said = listen(child);
      const port = await portOf(said, 1);
      t.deepEqual(await routeOf(port), [{ ip: 0x0a000001, port: 8080 }]);
      const agent = startAgent({ host: '127.0.0.1', port });
      agent.report(numberedReport(1, 1, 3, 5));
      await agent.close();
      child.kill('SIGHUP');
      const next = await portOf(said, 2);
      t.deepEqual(await routeOf(next), [{ ip: 0x0a000001, port: 8080 }]);
      t.regex(said.stdout, /^end: stopped, \d rows stored$/m);
      child.kill('SIGTERM');
      t.is(await said.exited, 0, said.stderr);
      t.regex(said.stdout, /end: aborted, 3 rows stored\n$/);
      t.is(said.stderr, '');
      const { stdout } = await run(node, ['--test', path.join(host, 'out/own-store.test.js')]);
      t.regex(stdout, /fail 0\b/);
    },
  );

async function fetched(version: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('sh', [inProject('tools/shared/fetch-node.sh'), String(version)]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}

interface Said {
  stdout: string;
  stderr: string;
  readonly exited: Promise<number | null>;
}

function listen(child: ChildProcess): Said {
  const said: Said = {
    ...{ stdout: '', stderr: '' },
    exited: new Promise((resolve) => child.once('close', resolve)),
  };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  return said;
}

async function portOf(said: Said, start: number): Promise<number> {
  const [, port] = await until(() => new RegExp(`^start ${start}: port (\\d+),`, 'm').exec(said.stdout), {
    ...BOUND,
    what: `start ${start}: ${said.stdout} ${said.stderr}`,
  });
  return Number(port);
}

function routeOf(port: number): Promise<readonly { readonly ip: number; readonly port: number }[]> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder();
    const socket = connect(port, '127.0.0.1').on('error', reject);
    socket.on('data', (chunk) =>
      decoder.push(chunk, (_id, bytes, start, end) => {
        resolve(decodeRouteResponse(bytes.subarray(start, end)).host);
        socket.destroy();
      }),
    );
    socket.write(encodeFrame(MessageId.getRouteRequest, encodeRouteRequest({ modid: 1, cmdid: 2 })));
  });
}
