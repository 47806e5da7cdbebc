import test from 'ava';
import { StoreError } from '../../src/model/errors.js';
import { describeStoreUrl, openStore } from '../../src/store/open.js';

test('a store is described without its password', (t) => {
  const url = 'mysql://lars:p%40ss%3Aw@db.example:3307/lars_db';
  t.is(describeStoreUrl(url), 'mysql://lars:***@db.example:3307/lars_db');
  t.is(openStore(url).description, describeStoreUrl(url));
  t.is(describeStoreUrl('mysql://lars@[::1]/x'), 'mysql://lars:***@[::1]:3306/x');
  t.is(describeStoreUrl('embedded:/var/lib/lars'), 'embedded:/var/lib/lars');
  t.is(openStore('embedded:/var/lib/lars').description, 'embedded:/var/lib/lars');
});

// `secret` stands where a password may come to stand when the URL is broken.
for (const url of [
  'mysql://lars:sec#secret@host/db',
  'mysql://lars:secret@host',
  'mysql://lars:secret@host/',
  'mysql://lars:secret@host/a/b',
  'mysql://lars:1/secret@host/db',
  'mysql://lars:secret@host:port/db',
  'mysql://lars:secret%@host/db',
  'mysql://lars:secret@host/db?ssl=true',
  'mysql://host/secret',
  'mysql:secret',
  'postgres://lars:secret@host/db',
  'secret',
  '/secret',
  '',
  'embedded:',
])
  test(`the URL «${url}» is refused, described without its parts, and never repeated`, (t) => {
    const error = t.throws(() => openStore(url), { instanceOf: StoreError, code: 'STORE_URL' });
    t.is(error.class, 'configuration');
    t.false(error.message.includes('secret'), error.message);
    t.false(describeStoreUrl(url).includes('secret'), describeStoreUrl(url));
  });
