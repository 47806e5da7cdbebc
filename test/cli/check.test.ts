import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { parseConfig } from '../../src/config/index.js';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

test('check prints the effective configuration as JSON, and nothing else, on stdout', async (t) => {
  const cwd = tempDir(t);
  const { code, stdout, stderr } = await runCli(['check'], { cwd, env: { LARS_WRITERS_COUNT: '2' } });
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout), parseConfig({ writers: { count: 2 } }, { baseDir: cwd }));
  t.is(stderr, 'configuration is fine (no file: defaults)\n');
});

test('check reads the file that is named and says so', async (t) => {
  const cwd = tempDir(t);
  mkdirSync(path.join(cwd, 'etc'));
  writeFileSync(path.join(cwd, 'etc/lars.json'), '{ "listen": { "port": 4711 } }');
  const { code, stdout, stderr } = await runCli(['check', '--config', 'etc/lars.json'], { cwd });
  t.is(code, 0);
  const config = JSON.parse(stdout) as { listen: { port: number }; journal: { dir: string } };
  t.is(config.listen.port, 4711);
  t.is(config.journal.dir, path.join(cwd, 'etc/data/journal'));
  t.is(stderr, `configuration ${cwd}/etc/lars.json is fine\n`);
});

for (const command of ['check', 'serve', 'migrate', 'send']) {
  test(`${command}: a broken configuration is told line by line, exit code 2`, async (t) => {
    const cwd = tempDir(t);
    writeFileSync(
      path.join(cwd, 'config.json'),
      '{ "listen": { "port": "x" }, "writer": {}, "admin": { "token": 17 } }',
    );
    const { code, stdout, stderr } = await runCli([command], {
      cwd,
      env: { LARS_LISTEN_MAX_CONNECTIONS: '1k' },
    });
    t.is(code, 2);
    t.is(stdout, '');
    t.deepEqual(stderr.trimEnd().split('\n').sort(), [
      'error: admin.token = ***: expected a text that is not empty',
      'error: listen.maxConnections = "1k" (from LARS_LISTEN_MAX_CONNECTIONS): expected an integer from 1 to 1000000',
      'error: listen.port = "x": expected an integer from 0 to 65535',
      'error: writer: unknown key; did you mean writers?',
    ]);
  });

  test(`${command}: a missing file that was named is an error, exit code 2`, async (t) => {
    const cwd = tempDir(t);
    const { code, stderr } = await runCli([command, '--config', 'none.json'], { cwd });
    t.is(code, 2);
    t.regex(stderr, /^error: configuration file .*\/none\.json does not exist; .*\n$/);
  });
}

test('broken JSON is located without a word of what it holds, exit code 2', async (t) => {
  const cwd = tempDir(t);
  writeFileSync(path.join(cwd, 'config.json'), '{\n  "admin": { "token": "hunter2" "port": 1 }\n}');
  const { code, stdout, stderr } = await runCli(['check'], { cwd, env: { LARS_LOG_LEVEL: 'debug' } });
  t.is(code, 2);
  t.regex(stderr, /config\.json is not valid JSON at line 2, column 33: expected a comma or }/);
  t.false((stdout + stderr).includes('hunter2'));
});

test('variables that were probably meant for us are warned about', async (t) => {
  const { code, stderr } = await runCli(['check'], { cwd: tempDir(t), env: { LARS_LISTEN_PROT: '1' } });
  t.is(code, 0);
  t.regex(
    stderr,
    /^warning: LARS_LISTEN_PROT is not a setting and has no effect; did you mean LARS_LISTEN_PORT\?$/m,
  );
});

test('no command shows the token or the password', async (t) => {
  const cwd = tempDir(t);
  const env = {
    LARS_ADMIN_TOKEN: 'hunter2',
    // Nobody listens on port 1.
    LARS_STORE_URL: 'mysql://lars:hunter2@127.0.0.1:1/lars',
    LARS_LOG_LEVEL: 'trace',
  };
  for (const args of [['check'], ['check', '--store'], ['migrate']]) {
    const { stdout, stderr } = await runCli(args, { cwd, env });
    t.false((stdout + stderr).includes('hunter2'), args.join(' '));
  }
});

test('check --store says that the table is fine, and makes none', async (t) => {
  const cwd = tempDir(t);
  const { code, stderr } = await runCli(['check', '--store'], { cwd });
  t.is(code, 0);
  t.regex(stderr, /^embedded:.*: the table is fine$/m);
  t.false(existsSync(path.join(cwd, 'data')));
});

test('check --store: a store that is away is a failure, one that can never work a mistake', async (t) => {
  const cwd = tempDir(t);
  const away = await runCli(['check', '--store'], {
    cwd,
    env: { LARS_STORE_URL: 'mysql://u:p@127.0.0.1:1/d' },
  });
  t.is(away.code, 1);
  t.regex(away.stderr, /^error: .*ECONNREFUSED/m);

  writeFileSync(path.join(cwd, 'file'), '');
  const never = await runCli(['check', '--store'], { cwd, env: { LARS_STORE_URL: 'embedded:file/store' } });
  t.is(never.code, 2);
  t.regex(never.stderr, /^error: .*file/m);
});

test('migrate makes the table once', async (t) => {
  const cwd = tempDir(t);
  const first = await runCli(['migrate'], { cwd });
  t.is(first.code, 0);
  t.is(first.stdout, `created the table in embedded:${cwd}/data/store\n`);
  const second = await runCli(['migrate'], { cwd });
  t.is(second.code, 0);
  t.is(second.stdout, `nothing to do: the table in embedded:${cwd}/data/store is as it should be\n`);
});

test('check warns of a store that others can listen to', async (t) => {
  const env = { LARS_STORE_URL: 'mysql://lars:hunter2@db.example/lars' };
  const { code, stdout, stderr } = await runCli(['check'], { cwd: tempDir(t), env });
  t.is(code, 0);
  t.regex(stderr, /warning: rows go to the store at db\.example without encryption/);
  t.false((stdout + stderr).includes('hunter2'));
});
