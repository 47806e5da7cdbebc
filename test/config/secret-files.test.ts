import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadConfig, maskSecrets, parseConfig } from '../../src/config/index.js';
import { ReporterError } from '../../src/model/errors.js';
import { readStoreAddress } from '../../src/store/address.js';
import { tempDir } from '../support/temp.js';

/** A folder with files of these contents, for their owner and its group alone. */
function files(t: ExecutionContext, contents: Readonly<Record<string, string | Buffer>>): string {
  const dir = tempDir(t);
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(path.join(dir, name), content);
    chmodSync(path.join(dir, name), 0o640);
  }
  return dir;
}

function problems(t: ExecutionContext, parse: () => unknown): string[] {
  return t.throws(parse, { instanceOf: ReporterError, code: 'CONFIG_INVALID' }).message.split('\n');
}

const URL = 'mysql://lars@db/lars';

test('secrets are read from files, of keys and of the environment, with paths of the folder of the configuration', (t) => {
  const dir = files(t, { token: 'open sesame\n', view: 'look', password: 'p@ss "w/rd"\r\n' });
  symlinkSync('token', path.join(dir, 'link'));
  writeFileSync(
    path.join(dir, 'config.json'),
    JSON.stringify({ admin: { tokenFile: 'link', viewTokenFile: 'view' }, store: { url: URL } }),
  );
  const { config } = loadConfig({ cwd: dir, env: { LARS_STORE_PASSWORD_FILE: `${dir}/password` } });
  t.is(config.admin.token, 'open sesame');
  t.is(config.admin.viewToken, 'look');
  t.is(config.admin.tokenFile, path.join(dir, 'link'));
  t.like(readStoreAddress(config.store.url), { user: 'lars', password: 'p@ss "w/rd"', host: 'db' });
  const printed = JSON.stringify(maskSecrets(config));
  for (const secret of ['sesame', 'look', 'w/rd', 'w%2F']) t.false(printed.includes(`"${secret}`), printed);
  t.false(/sesame|ss%20/.test(printed));
  t.is(parseConfig(config, { baseDir: '/' }), config, 'it is not read again');
});

test('a token in a file is a token: other machines may be let in, and that of the view must be another', (t) => {
  const dir = files(t, { token: 'one', same: 'one' });
  t.notThrows(() => parseConfig({ admin: { host: '0.0.0.0', tokenFile: 'token' } }, { baseDir: dir }));
  t.regex(
    problems(t, () =>
      parseConfig({ admin: { tokenFile: 'token', viewTokenFile: 'same' } }, { baseDir: dir }),
    )[0]!,
    /^admin\.viewToken = \*\*\*: is the same as admin\.token/,
  );
});

test('a store without a server needs no password, and an account may have one with a colon before it', (t) => {
  const dir = files(t, { password: 'x' });
  const { store } = parseConfig({ store: { passwordFile: 'password' } }, { baseDir: dir });
  t.is(store.url, `embedded:${dir}/data/store`);
  const url = 'mysql://lars:@db/lars?ssl-mode=REQUIRED';
  const parsed = parseConfig({ store: { url, passwordFile: 'password' } }, { baseDir: dir });
  t.is(parsed.store.url, 'mysql://lars:x@db/lars?ssl-mode=REQUIRED');
});

test('a secret and its file, both given, are an error that names where each stands', (t) => {
  const dir = files(t, { token: 'one', password: 'two' });
  const config = {
    admin: { token: 'hunter2', tokenFile: 'token' },
    store: { url: 'mysql://lars:hunter2@db/lars', passwordFile: 'password' },
  };
  t.deepEqual(
    problems(t, () => parseConfig(config, { baseDir: dir })),
    [
      'store.passwordFile = "password": the password in store.url is given, too: leave one of the two out',
      'admin.tokenFile = "token": admin.token is given, too: leave one of the two out',
    ],
  );
  const env = { LARS_ADMIN_TOKEN: 'hunter2', LARS_ADMIN_TOKEN_FILE: `${dir}/token` };
  t.deepEqual(
    problems(t, () => parseConfig({}, { baseDir: dir, env })),
    [
      `admin.tokenFile = "${dir}/token" (from LARS_ADMIN_TOKEN_FILE): admin.token (from LARS_ADMIN_TOKEN) is given, too: leave one of the two out`,
    ],
  );
});

test('a file that is missing, no file, empty, no text or too long is refused with words, and never quoted', (t) => {
  const dir = files(t, {
    empty: '',
    lines: '\n\n',
    two: 'hunter2\nhunter3',
    bytes: Buffer.from('hunter2\xff', 'latin1'),
    long: 'x'.repeat(70_000),
    around: 'hunter2 \n',
  });
  mkdirSync(path.join(dir, 'folder'), { mode: 0o700 });
  for (const [file, problem] of [
    ['./missing', 'does not exist'],
    ['folder', 'is no file'],
    ['empty', 'holds nothing'],
    ['lines', 'holds nothing'],
    ['two', 'its content holds a line end or a character that cannot be seen: leave it out'],
    ['around', 'its content has white space or a line end around it: leave it out'],
    ['bytes', 'its content is no text in UTF-8'],
    ['long', 'has more than 65536 bytes: name the right file'],
  ] as const) {
    t.deepEqual(
      problems(t, () => parseConfig({ admin: { tokenFile: file } }, { baseDir: dir })),
      [`admin.tokenFile = "${file}": ${problem}`],
    );
    t.deepEqual(
      problems(t, () => parseConfig({ store: { url: URL, passwordFile: file } }, { baseDir: dir })),
      [`store.passwordFile = "${file}": ${problem}`],
    );
  }
});

test('a secret that stands where its file is to be named is not shown', (t) => {
  for (const secret of ['hunter2', 'hunter2/slash', '"hunter2"', 'hunter2 ', `hunter2${'x'.repeat(5000)}`]) {
    const config = { admin: { tokenFile: secret }, store: { url: URL, passwordFile: secret } };
    for (const line of problems(t, () => parseConfig(config, { baseDir: '/' })))
      t.false(line.includes('hunter2'), line);
  }
});

test('a file that every user may read, write or execute is refused, with its owner and what to do', (t) => {
  const dir = files(t, { token: 'hunter2' });
  const file = path.join(dir, 'token');
  const parse = () => parseConfig({ admin: { tokenFile: file } }, { baseDir: '/' });
  for (const mode of [0o644, 0o604, 0o602, 0o601, 0o777]) {
    chmodSync(file, mode);
    const [line] = problems(t, parse);
    t.true(
      line!.includes(`(mode 0${mode.toString(8)}, of user ${process.getuid!()} and group`) &&
        line!.includes('chmod o= it'),
      line,
    );
    t.false(line!.includes('hunter2'));
  }
  for (const mode of [0o600, 0o400, 0o640, 0o440]) {
    chmodSync(file, mode);
    t.notThrows(parse);
  }
});

test('contradictions of store.tls and the URL are named', (t) => {
  const parse = (url: string, tls: object) => () => parseConfig({ store: { url, tls } }, { baseDir: '/' });
  for (const [options, tls, line] of [
    [
      '?ssl-mode=REQUIRED',
      { mode: 'off' },
      'store.tls.mode = "off": store.url says otherwise, with ssl-mode: leave one of them out',
    ],
    [
      '?ssl-mode=VERIFY_CA&ssl-ca=/a',
      { ca: '/b' },
      'store.tls.ca = "/b": store.url says otherwise, with ssl-ca: leave one of them out',
    ],
    [
      '',
      { ca: '/a' },
      'store.tls.ca = "/a": is used where a certificate is verified: set store.tls.mode to verify-full',
    ],
    [
      '?ssl-mode=REQUIRED&ssl-ca=/a',
      {},
      'store.tls.ca = (not set): is used where a certificate is verified: set store.tls.mode to verify-full',
    ],
    [
      '',
      { mode: 'required', cert: '/a' },
      'store.tls.key = (not set): certificate and key go together: give both',
    ],
    ['', { cert: '/a', key: '/b' }, 'store.tls.cert = "/a": is used with TLS alone: set store.tls.mode, too'],
    [
      '',
      { mode: 'preferred' },
      'store.tls.mode = "preferred": expected one of off, required, verify-ca, verify-full',
    ],
  ] as const)
    t.deepEqual(problems(t, parse(`mysql://lars@db/lars${options}`, tls)), [line]);
  t.regex(
    problems(t, parse('mysql://lars@localhost/lars?socket=/s', { mode: 'verify-full' }))[0]!,
    /a socket file has no host name to verify/,
  );
  t.notThrows(parse(`${URL}?ssl-mode=REQUIRED`, { mode: 'required' }));
  t.notThrows(parse(`${URL}?ssl-mode=VERIFY_CA`, { ca: '/a' }));
});
