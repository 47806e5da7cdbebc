import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { differenceOf, loadConfig, parseConfig } from '../../src/config/index.js';
import { ReporterError } from '../../src/model/errors.js';
import { TestAuthority } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';

const parse = (tls: object, listen: object = {}) =>
  parseConfig({ listen: { ...listen, tls } }, { baseDir: '/srv' });
const SHOWN = { port: 7800, cert: 'cert.pem', key: 'key.pem' };
const FINGERPRINT = `${'AB:'.repeat(31)}AB`;

test('a port with TLS shows a certificate, and may be on another address', (t) => {
  const { tls } = parse({ ...SHOWN, host: '::1' }).listen;
  t.like(tls, { port: 7800, host: '::1', cert: '/srv/cert.pem', key: '/srv/key.pem', clientAuth: 'none' });
  t.notThrows(() => parse({ ...SHOWN, clientAuth: 'optional', ca: 'ca' }));
  t.notThrows(() => parse({ ...SHOWN, clientAuth: 'none', ca: 'ca' }));
  t.notThrows(() =>
    parse({ ...SHOWN, clientAuth: 'required', ca: 'ca', allowNames: ['*.a.example', 'b', 'ü'] }),
  );
  t.notThrows(() => parse({ ...SHOWN, clientAuth: 'required', allowFingerprints: [FINGERPRINT] }));
});

for (const [tls, problem] of [
  [{ cert: 'a', key: 'b' }, /^listen\.tls\.cert = "a": is used with listen\.tls\.port alone/],
  [{ clientAuth: 'required' }, /^listen\.tls\.clientAuth = "required": is used with listen\.tls\.port alone/],
  [{ port: 1 }, /^listen\.tls\.cert = \(not set\): required.*\nlisten\.tls\.key = \(not set\): required/],
  [{ ...SHOWN, ca: 'a' }, /^listen\.tls\.ca = "a": .*set listen\.tls\.clientAuth to required/],
  [{ ...SHOWN, clientAuth: 'required' }, /^listen\.tls\.clientAuth = "required": nobody vouches/],
  [{ ...SHOWN, clientAuth: 'optional' }, /^listen\.tls\.clientAuth = "optional": nobody vouches/],
  [
    { ...SHOWN, clientAuth: 'required', allowNames: ['a'] },
    /^listen\.tls\.allowNames = .*anybody may write any name/,
  ],
  [
    { ...SHOWN, clientAuth: 'optional', ca: 'a', allowNames: ['a'] },
    /^listen\.tls\.allowNames = .*to required/,
  ],
  [{ ...SHOWN, allowFingerprints: [FINGERPRINT] }, /^listen\.tls\.allowFingerprints = .*to required/],
  [
    { ...SHOWN, clientAuth: 'required', ca: 'a', allowNames: ['a.*.example'] },
    /allowNames\[0\] = .*a star stands for/,
  ],
  [
    { ...SHOWN, clientAuth: 'required', allowFingerprints: ['AB:CD'] },
    /allowFingerprints\[0\] = .*64 hexadecimal digits/,
  ],
  [{ ...SHOWN, port: 7779 }, /^listen\.tls\.port = 7779: listen\.port is the same, on the same address/],
  [
    { ...SHOWN, port: 7780, host: '127.0.0.1' },
    /^admin\.port = .*listen\.tls\.port is the same, on the same address/,
  ],
] as const)
  test(`${JSON.stringify(tls)} is refused: ${problem.source}`, (t) => {
    const error = t.throws(() => parse(tls), { instanceOf: ReporterError, code: 'CONFIG_INVALID' });
    t.regex(error.message, problem);
  });

test('all but the address of the port with TLS changes in place', (t) => {
  const before = parse({ ...SHOWN });
  const how = (tls: object) =>
    differenceOf(before, parse(tls)).map((changed) => `${changed.key} ${changed.how}`);
  t.deepEqual(how({ ...SHOWN, cert: 'c', key: 'd', clientAuth: 'required', ca: 'e', maxHandshakes: 5 }), [
    'listen.tls.cert in-place',
    'listen.tls.key in-place',
    'listen.tls.ca in-place',
    'listen.tls.clientAuth in-place',
    'listen.tls.maxHandshakes in-place',
  ]);
  t.deepEqual(how({ ...SHOWN, port: 1, host: '::' }), [
    'listen.tls.port hand-over',
    'listen.tls.host hand-over',
  ]);
  t.true(how({}).includes('listen.tls.port hand-over'));
});

test('certificates that end soon, or have ended, are warned of; authorities that cannot be read are refused with their key', (t) => {
  const dir = tempDir(t);
  const authority = new TestAuthority(dir);
  const load = (tls: object) => {
    writeFileSync(path.join(dir, 'config.json'), JSON.stringify({ listen: { tls: { port: 0, ...tls } } }));
    return loadConfig({ env: {}, cwd: dir });
  };
  const required = { clientAuth: 'required', ca: authority.ca };
  const { warnings, digests } = load({ ...authority.issue(), ...required });
  t.deepEqual(warnings, []);
  t.deepEqual([...digests.keys()], ['listen.tls.cert', 'listen.tls.ca']);
  const [warning] = load({ ...authority.issue({ isOver: true }), ...required }).warnings;
  t.regex(
    warning!,
    /^the certificate of listen\.tls\.cert ended at .*: put a new one in its place, and reload$/,
  );
  const bad = path.join(dir, 'bad.pem');
  for (const [content, problem] of [
    ['no certificate', /^listen\.tls\.ca = .*holds no certificate/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /^listen\.tls\.ca = .*is damaged/],
  ] as const) {
    writeFileSync(bad, content);
    t.throws(() => load({ ...authority.issue(), ...required, ca: bad }), { message: problem });
  }
  t.throws(() => load({ ...authority.issue(), ...required, ca: '/nowhere' }), {
    message: /cannot be read \(ENOENT\)/,
  });
});
