import test from 'ava';
import fc from 'fast-check';
import { StoreError } from '../../src/model/errors.js';
import {
  describeStoreUrl,
  readStoreAddress,
  resolveStoreUrl,
  storeAddress,
  withPassword,
} from '../../src/store/address.js';
import { openStore } from '../../src/store/open.js';

test('an address is taken apart, its parts decoded, its port 3306 unless given', (t) => {
  t.deepEqual(readStoreAddress('mysql://la%20rs:p%40%2F%3A%25@db.example.org:3307/lars_db'), {
    kind: 'mysql',
    host: 'db.example.org',
    port: 3307,
    user: 'la rs',
    password: 'p@/:%',
    database: 'lars_db',
  });
  t.like(readStoreAddress('mysql://lars@[::1]/x'), { host: '::1', port: 3306, password: '' });
  t.like(readStoreAddress('mysql://lars:a:b@c@db/x'), { user: 'lars', password: 'a:b@c', host: 'db' });
  t.like(readStoreAddress('mysql://lars@db_1/x%2Ey'), { host: 'db_1', database: 'x.y' });
  t.deepEqual(readStoreAddress('embedded:./data'), { kind: 'embedded', dir: './data' });
});

test('an address that is written part by part is read part by part', (t) => {
  const text = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
  const host = fc.constantFrom('db', '10.0.0.1', '[fe80::1]', 'a-b.example');
  fc.assert(
    fc.property(text, text, host, fc.integer({ min: 1, max: 65_535 }), (user, password, host, port) => {
      const url = `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/lars`;
      t.like(readStoreAddress(url), { user, password, port, host: host.replace(/[[\]]/g, '') });
    }),
  );
});

test('options are read as people of all clients write them, and written as the clients of MySQL do', (t) => {
  const read = (options: string) => {
    const address = readStoreAddress(`mysql://lars:p@localhost/x?${options}`);
    return address.kind === 'mysql' ? address.options : address;
  };
  for (const options of [
    'ssl-mode=VERIFY_CA&ssl-ca=/a%20b',
    'sslca=/a%20b&SSL_MODE=Verify_CA',
    'ssl_ca=/a%20b&sslMode=verify-ca',
  ])
    t.deepEqual(read(options), { mode: 'verify-ca', ca: '/a b' });
  for (const [word, mode] of [
    ['DISABLED', 'off'],
    ['required', 'required'],
    ['VERIFY_IDENTITY', 'verify-full'],
    ['verify-full', 'verify-full'],
    ['off', 'off'],
  ])
    t.deepEqual(read(`ssl-mode=${word}`), { mode });
  t.deepEqual(read('socket=/run/mysqld/mysqld.sock'), { socket: '/run/mysqld/mysqld.sock' });
  t.is(
    describeStoreUrl('mysql://lars:p@localhost/x?sslMode=verify-full&ssl_ca=/a%20b%26'),
    'mysql://lars:***@localhost:3306/x?ssl-mode=VERIFY_IDENTITY&ssl-ca=/a%20b%26',
  );
  t.is(
    resolveStoreUrl(
      'mysql://lars:p%40@localhost/x?ssl-mode=VERIFY_CA&ssl-ca=ca.pem',
      (file) => `/etc/${file}`,
    ),
    'mysql://lars:p%40@localhost/x?ssl-mode=VERIFY_CA&ssl-ca=/etc/ca.pem',
  );
});

test('a password that is put into an address is read out of it again', (t) => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.constantFrom('lars', 'la%40rs', 'l@rs'),
      fc.constantFrom('', ':'),
      (password, user, colon) => {
        const url = withPassword(`mysql://${user}${colon}@[::1]:3307/x?ssl-mode=REQUIRED`, password);
        t.like(readStoreAddress(url), { password, user: decodeURIComponent(user), host: '::1', port: 3307 });
      },
    ),
  );
});

test('a store is described without its password', (t) => {
  const url = 'mysql://lars:p%40ss%3Aw@db.example:3307/lars_db';
  t.is(describeStoreUrl(url), 'mysql://lars:***@db.example:3307/lars_db');
  t.is(openStore(url).description, describeStoreUrl(url));
  t.is(describeStoreUrl('mysql://lars@[::1]/x'), 'mysql://lars@[::1]:3306/x');
  t.is(describeStoreUrl('embedded:/var/lib/lars'), 'embedded:/var/lib/lars');
  t.is(openStore('embedded:/var/lib/lars').description, 'embedded:/var/lib/lars');
  t.is(describeStoreUrl('./data'), './data');
});

const FORM = 'expected mysql://user:password@host:port/database';
const FORMS = 'expected embedded:DIR or mysql://user:password@host:port/database';
const ENCODED = 'in user and password @ is written %40, / %2F, : %3A, # %23, ? %3F, % %25';

const SOCKET =
  'names a socket file in the wrong place: write mysql://user:password@localhost/database?socket=/run/mysqld/mysqld.sock';

// `secret` stands where a password may come to stand when the URL is broken.
for (const [url, problem] of [
  ['mysql://lars:sec#secret@host/db', `${FORMS}; ${ENCODED}`],
  ['mysql://lars:1/secret@host/db', `${FORMS}; ${ENCODED}`],
  ['mysql://lars:1?secret@host/db', `${FORMS}; ${ENCODED}`],
  ['mysql://lars:secret@host', `has no database; ${FORM}`],
  ['mysql://lars:secret@host/', `has no database; ${FORM}`],
  ['mysql://lars:secret@host/a/b', `names more than a database behind the host; ${FORM}`],
  ['mysql://lars:secret@/db', `has no host; ${FORM}`],
  ['mysql://:secret@host/db', `has no user; ${FORM}`],
  ['mysql://lars:secret', `has no user, or no @ before the host; ${FORM}`],
  ['mysql://host/secret', `has no user, or no @ before the host; ${FORM}`],
  ['mysql://lars:secret@host:port/db', `has a host or port that cannot be read; ${FORM}; ${ENCODED}`],
  ['mysql://lars:secret@host:99999/db', `has a host or port that cannot be read; ${FORM}; ${ENCODED}`],
  ['mysql://lars:secret@host:0/db', `has a host or port that cannot be read; ${FORM}; ${ENCODED}`],
  ['mysql://lars:secret@[10.0.0.1]/db', `has a host or port that cannot be read; ${FORM}; ${ENCODED}`],
  ['mysql://lars:secret%@host/db', `has a stray %; ${FORM}, where % itself is written %25`],
  ['mysql://lars:secret@host/db?secret', `has a part behind the database that means nothing here; ${FORM}`],
  ['mysql://lars:secret@host/db#x', `has a part behind the database that means nothing here; ${FORM}`],
  [
    'mysql://lars:secret@host/db?ssl-mode=REQUIRED&secret',
    `has a part behind the database that means nothing here; ${FORM}`,
  ],
  [
    'mysql://lars:secret@host/db?ssl=true',
    `has the option ssl, which is not known: write ssl-mode=REQUIRED, VERIFY_CA or VERIFY_IDENTITY; ${FORM}`,
  ],
  [
    'mysql://lars:secret@host/db?ssl-mode=secret',
    `has an ssl-mode that is none of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY; ${FORM}`,
  ],
  [
    'mysql://lars:secret@host/db?ssl-mode=PREFERRED',
    `has an ssl-mode that falls back to none when whoever is in between says so: write one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY; ${FORM}`,
  ],
  ['mysql://lars:secret@host/db?ssl-mode=REQUIRED&sslMode=DISABLED', `has ssl-mode twice; ${FORM}`],
  ['mysql://lars:secret@host/db?ssl-ca=', `has an option ssl-ca without the path of a file; ${FORM}`],
  ['mysql://lars:secret@host/db?ssl-ca=secret%', `has an option ssl-ca without the path of a file; ${FORM}`],
  ['mysql://lars:secret@host/db?charset=utf8', `has the option charset, which is not known; ${FORM}`],
  ['mysql://lars:secret@h1:3306,h2:3306/db', `names several hosts, and only one can be used; ${FORM}`],
  [
    'mysql://lars:secret@host/db?socket=/run/mysqld.sock',
    'names a host and a socket file, which is on this machine: name localhost, or no socket',
  ],
  ['mysql://lars:secret@%2Frun%2Fmysqld.sock/db', `${SOCKET}; ${FORM}`],
  ['mysql://lars:secret@localhost/run/mysqld.sock', `${SOCKET}; ${FORM}`],
  ['mariadb://lars:secret@host/db', `${FORMS}; MariaDB is written mysql://, too`],
  ['jdbc:mysql://lars:secret@host/db', `${FORMS}; MariaDB is written mysql://, too`],
  ['mysql://lars:secret@host/db\n', `holds white space or a line end, which no address has; ${FORMS}`],
  ['mysql:secret', FORMS],
  ['mysql:/lars:secret@host/db', FORMS],
  ['postgres://lars:secret@host/db', FORMS],
  ['secret', FORMS],
  ['/secret', FORMS],
  ['', FORMS],
  ['embedded:', 'has no folder; expected embedded:DIR, for example embedded:./data/store'],
  ['embedded://data', 'expected embedded:DIR without //, for example embedded:./data/store'],
] as const)
  test(`the address ${JSON.stringify(url)} is refused with words, and never repeated`, (t) => {
    const error = t.throws(() => storeAddress(url), { instanceOf: StoreError, code: 'STORE_URL' });
    t.is(error.class, 'configuration');
    t.is(error.message, `store.url ${problem}`);
    t.throws(() => openStore(url), { instanceOf: StoreError, message: error.message });
    t.false(error.message.includes('secret'), error.message);
    t.false(describeStoreUrl(url).includes('secret'), describeStoreUrl(url));
  });
