import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { describeConfig, loadConfig, parseConfig } from '../../src/config/index.js';
import { findRepeatedNames } from '../../src/config/json.js';
import { ReporterError } from '../../src/model/errors.js';
import { TestAuthority } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-test-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));
const secretFile = path.join(dir, 'secret');
writeFileSync(secretFile, 's3cret\n', { mode: 0o600 });
const { cert, key: certKey } = new TestAuthority(dir).issue();

/** Values with which a key of text is content. */
const GOOD: Readonly<Record<string, string>> = {
  'listen.host': '127.0.0.1',
  'journal.groupMs': '50',
  'journal.dir': '/srv/journal',
  'store.url': 'embedded:/srv/store',
  'history.enabled': 'false',
  'history.dir': '/srv/history',
  'history.maxBytes': '33554432',
  'admin.host': '127.0.0.1',
  'admin.token': 's3cret',
  'admin.viewToken': 's33n',
  'admin.tokenFile': secretFile,
  'admin.viewTokenFile': secretFile,
  'store.passwordFile': secretFile,
  'store.tls.mode': 'verify-ca',
  'listen.tls.host': '127.0.0.1',
  'listen.tls.cert': cert,
  'listen.tls.key': certKey,
  'listen.tls.ca': cert,
  'listen.tls.clientAuth': 'none',
  'listen.tls.allowNames': 'agent-1.example',
  'listen.tls.allowFingerprints': 'ab'.repeat(32),
  'admin.tls.cert': cert,
  'admin.tls.key': certKey,
  'log.level': 'warn',
  'listen.allow': '10.0.0.0/8,fd00::/8',
  'listen.deny': '10.66.0.0/16',
  'listen.proxyFrom': '10.0.0.9',
  'listen.verifyCaller': 'warn',
  'listen.verifyExcept': '10.1.0.0/16',
  'view.enabled': 'false',
  'keeper.enabled': 'false',
  'view.errorShare': '0.2',
  'telemetry.otlpUrl': 'http://127.0.0.1:4318',
  'telemetry.sampleRatio': '0.5',
  names: '{"4242":"get"}',
};

const TLS_PORT = { LARS_LISTEN_TLS_PORT: '1', LARS_LISTEN_TLS_CERT: cert, LARS_LISTEN_TLS_KEY: certKey };
const CLIENT_AUTH = { LARS_LISTEN_TLS_CLIENT_AUTH: 'required', LARS_LISTEN_TLS_CA: cert };

/** What some keys cannot be without. */
const ALONG: Readonly<Record<string, NodeJS.ProcessEnv>> = {
  'store.tls.ca': { LARS_STORE_TLS_MODE: 'verify-ca' },
  'store.tls.cert': { LARS_STORE_TLS_MODE: 'required', LARS_STORE_TLS_KEY: '/key' },
  'store.tls.key': { LARS_STORE_TLS_MODE: 'required', LARS_STORE_TLS_CERT: '/cert' },
  'listen.tls.port': TLS_PORT,
  'listen.tls.host': TLS_PORT,
  'listen.tls.cert': TLS_PORT,
  'listen.tls.key': TLS_PORT,
  'listen.tls.ca': { ...TLS_PORT, ...CLIENT_AUTH },
  'listen.tls.allowNames': { ...TLS_PORT, ...CLIENT_AUTH },
  'listen.tls.allowFingerprints': { ...TLS_PORT, ...CLIENT_AUTH },
  'admin.tls.cert': { LARS_ADMIN_TLS_KEY: certKey },
  'admin.tls.key': { LARS_ADMIN_TLS_CERT: cert },
};

const texts = describeConfig().filter(({ kind }) => kind === 'text');

/** A configuration of one key. */
const only = (key: string, value: unknown) =>
  key
    .split('.')
    .reverse()
    .reduce<unknown>((inner, name) => ({ [name]: inner }), value);

function problems(t: ExecutionContext, parse: () => unknown): string[] {
  const error = t.throws(parse, { instanceOf: ReporterError, code: 'CONFIG_INVALID' });
  return error.message.split('\n');
}

for (const { key, env } of describeConfig()) {
  const good = GOOD[key] ?? '1024';
  test(`${env}: line ends and white space around the value are left out, and said`, (t) => {
    const load = (value: string) => loadConfig({ cwd: '/nowhere', env: { ...ALONG[key], [env]: value } });
    const clean = load(good);
    t.deepEqual(clean.warnings, []);
    for (const [value, what] of [
      [`${good}\n`, 'a line end'],
      [`${good}\r`, 'a carriage return'],
      [`${good}\r\n`, 'a carriage return'],
      [` ${good}`, 'white space'],
      [`\uFEFF${good}\t`, 'white space'],
    ] as const) {
      const { config, warnings } = load(value);
      t.deepEqual(config, clean.config);
      t.deepEqual(warnings, [`${env} has ${what} around its value, which was left out`]);
    }
    if (key in ALONG) return;
    t.deepEqual(
      load('\r\n').config,
      parseConfig({}, { baseDir: '/nowhere' }),
      'nothing but a line end is not set',
    );
  });
}

for (const { key, env, secret } of texts) {
  const good = GOOD[key]!;
  test(`${key} with line ends, white space or quotes in the value is refused with words`, (t) => {
    for (const value of [`${good}\n`, `${good}\r`, ` ${good}`, `${good}\u200b`, `a\nb${good}`]) {
      const [line] = problems(t, () => parseConfig(only(key, value), { baseDir: '/' }));
      t.true(line!.startsWith(`${key} = `), line);
      if (secret) t.false(line!.includes(good));
    }
    for (const value of [`"${good}"`, `'${good}'`]) {
      const [line] = problems(t, () => parseConfig({}, { baseDir: '/', env: { [env]: value } }));
      t.true(line!.startsWith(`${key} = `), line);
    }
  });
}

test('the words name what is too much', (t) => {
  const said = (config: unknown) => problems(t, () => parseConfig(config, { baseDir: '/' }))[0];
  t.is(
    said({ admin: { token: 's3cret\n' } }),
    'admin.token = ***: has white space or a line end around it: leave it out',
  );
  t.is(
    said({ journal: { dir: '"/srv"' } }),
    'journal.dir = "\\"/srv\\"": stands in quotes, which belong to its value here: leave them out',
  );
  t.is(
    said({ store: { url: "'mysql://lars:hunter2@db/lars'" } }),
    'store.url = "***": stands in quotes, which belong to its value here: leave them out',
  );
});

test('a path that only a shell would understand is refused with words; one that just looks odd is taken', (t) => {
  for (const dir of ['~', '~/journal', '~lars/journal']) {
    for (const config of [{ journal: { dir } }, { store: { url: `embedded:${dir}` } }]) {
      const [line] = problems(t, () => parseConfig(config, { baseDir: '/' }));
      t.regex(line!, /: begins with ~, which means a home folder to a shell only: write the whole path$/);
    }
  }
  for (const dir of ['$HOME/journal', '/srv/$'.concat('{NAME}')])
    t.regex(
      problems(t, () => parseConfig({ journal: { dir } }, { baseDir: '/' }))[0]!,
      /: holds a variable, which only a shell replaces: write the whole path$/,
    );
  for (const dir of ['/srv/~', './~', "/srv/lars's journal", '/srv/a$b', '/srv/日志'])
    t.is(parseConfig({ journal: { dir } }, { baseDir: '/' }).journal.dir, dir === './~' ? '/~' : dir);
});

test('agents and the admin HTTP on one port of one address are refused', (t) => {
  const parse = (listenHost: string, adminHost: string, port: number) =>
    parseConfig(
      { listen: { host: listenHost, port }, admin: { host: adminHost, port, token: 'x' } },
      { baseDir: '/' },
    );
  for (const [listenHost, adminHost] of [
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['10.0.0.1', '::'],
    ['LOCALHOST', '127.0.0.1'],
  ] as const) {
    t.deepEqual(
      problems(t, () => parse(listenHost, adminHost, 7000)),
      ['admin.port = 7000: listen.port is the same, on the same address: give one of them another port'],
    );
    t.notThrows(() => parse(listenHost, adminHost, 0), 'port 0 is another one each time');
  }
  for (const [listenHost, adminHost] of [
    ['10.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '::1'],
    ['127.0.0.1', '127.0.0.2'],
  ] as const)
    t.notThrows(() => parse(listenHost, adminHost, 7000));
});

test('a section or key that stands twice in the file is an error that names it, and both places', (t) => {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'config.json');
  const load = (text: string) => {
    writeFileSync(file, text);
    return problems(t, () => loadConfig({ cwd, env: {} }));
  };
  t.deepEqual(load('{\n  "store": { "url": "mysql://u:hunter2@h/d" },\n  "log": {},\n  "store": {}\n}'), [
    `configuration file ${file} has store again at line 4, column 3; it stands at line 2, column 3 already: make one of them`,
  ]);
  t.deepEqual(load('\uFEFF{ "listen": { "port": 1, "host": "::",\r\n"port": 2, "p\\u006frt": 3 } }'), [
    `configuration file ${file} has listen.port again at line 2, column 1; it stands at line 1, column 15 already: make one of them`,
    `configuration file ${file} has listen.port again at line 2, column 12; it stands at line 1, column 15 already: make one of them`,
  ]);
});

test('names are repeated only within one object', (t) => {
  t.deepEqual(
    findRepeatedNames('{ "a": { "b": 1 }, "c": { "b": { "a": 1 } }, "d": [{ "e": 1 }, { "e": ":" }] }'),
    [],
  );
  t.like(findRepeatedNames('{ "a": [{ "b": 1, "b": 2 }] }'), [{ name: 'a.b', column: 19 }]);
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.nat(3), (json, spaces) => {
      t.deepEqual(findRepeatedNames(JSON.stringify(JSON.parse(json), null, spaces)), []);
    }),
  );
});
