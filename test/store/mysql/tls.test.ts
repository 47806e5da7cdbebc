import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { migrate } from '../../../src/store/migration.js';
import { openStore } from '../../../src/store/open.js';
import type { StoreTlsKeys } from '../../../src/store/store-tls.js';
import { renew, TestAuthority } from '../../../tools/shared/certificates.js';
import { type DatabaseServer, PASSWORD, startServer } from '../../../tools/shared/database-server.js';
import { ownAddress } from '../../support/own-address.js';
import { batch, row } from '../../support/rows.js';
import { tempDir } from '../../support/temp.js';
import { LANE } from '../collect.js';
import { rejection } from '../databases.js';

/** A server with this certificate that takes encrypted connections only, and its table. */
async function secureServer(
  t: ExecutionContext,
  certificate: (authority: TestAuthority) => { readonly cert: string; readonly key: string },
): Promise<{ readonly db: DatabaseServer; readonly authority: TestAuthority; readonly ca: string }> {
  const authority = new TestAuthority(tempDir(t));
  const { cert, key } = certificate(authority);
  const db = await startServer({
    args: [
      `--ssl-ca=${authority.ca}`,
      `--ssl-cert=${cert}`,
      `--ssl-key=${key}`,
      '--require-secure-transport=ON',
    ],
  });
  t.teardown(() => db.destroy());
  await db.query('CREATE DATABASE lars');
  await migrate(db.url('lars'), { tls: { mode: 'required' } });
  return { db, authority, ca: authority.ca };
}

const GOOD = (authority: TestAuthority) => authority.issue();

/** Writes a row; resolves with the cipher of a session, which is empty without TLS. */
async function store(t: ExecutionContext, url: string, tls: StoreTlsKeys): Promise<void> {
  const opened = openStore(url, { tls });
  await opened.open();
  const writer = opened.writer({ ...LANE, journalId: `${t.title}${JSON.stringify(tls)}` });
  try {
    await writer.upsert(batch([row()]));
  } finally {
    await writer.close();
  }
}

const named = (url: string, host: string) => url.replace('127.0.0.1', host);

test('rows are stored over TLS in each mode, by name and by address, with the keys or in the URL', async (t) => {
  const { db, ca } = await secureServer(t, GOOD);
  const url = db.url('lars');
  for (const tls of [{ mode: 'required' }, { mode: 'verify-ca', ca }, { mode: 'verify-full', ca }] as const) {
    await t.notThrowsAsync(store(t, url, tls), JSON.stringify(tls));
    await t.notThrowsAsync(store(t, named(url, 'localhost'), tls), JSON.stringify(tls));
  }
  for (const options of [
    'ssl-mode=REQUIRED',
    `ssl-mode=VERIFY_IDENTITY&ssl-ca=${ca}`,
    `sslMode=verify-ca&ssl_ca=${ca}`,
  ])
    await t.notThrowsAsync(store(t, `${url}?${options}`, {}), options);
});

test('a server that demands TLS is named as such, with what to set', async (t) => {
  const { db } = await secureServer(t, GOOD);
  const error = await rejection(t, store(t, db.url('lars'), {}), 'configuration');
  t.regex(error.message, /set store\.tls\.mode/);
});

test('a socket file needs no TLS, and says so when it is set', async (t) => {
  const { db } = await secureServer(t, GOOD);
  const url = `${named(db.url('lars'), 'localhost')}?socket=${encodeURIComponent(db.socket)}`;
  await t.notThrowsAsync(store(t, url, {}));
  const wrong = openStore(`${named(db.url('lars'), 'localhost')}?socket=/nowhere/mysqld.sock`);
  await rejection(t, wrong.check(), 'retry');
});

test('a certificate that has ended, of another name or of a stranger is not believed, with words, and heals by itself', async (t) => {
  const { db, authority, ca } = await secureServer(t, (one) =>
    one.issue({ names: 'DNS:other.example,IP:10.0.0.1' }),
  );
  const url = db.url('lars');
  for (const host of ['127.0.0.1', 'localhost']) {
    const error = await rejection(
      t,
      store(t, named(url, host), { mode: 'verify-full', ca }),
      'configuration',
    );
    t.is(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    t.regex(error.message, /verify-ca looks at no names/);
  }
  await t.notThrowsAsync(store(t, url, { mode: 'verify-ca', ca }), 'the chain is right');

  const stranger = new TestAuthority(tempDir(t));
  for (const mode of ['verify-ca', 'verify-full'] as const) {
    for (const of of [stranger.ca, undefined]) {
      const error = await rejection(t, store(t, url, { mode, ca: of }), 'configuration');
      t.regex(error.message, /^no TLS connection to the store at 127\.0\.0\.1:\d+: .*store\.tls\.ca$/);
    }
  }
  const trusted = { cert: stranger.ca, key: stranger.issue().key };
  const opened = openStore(url, { tls: { mode: 'verify-ca', ca: trusted.cert } });
  await rejection(t, opened.check(), 'configuration');
  renew(trusted, { cert: authority.ca, key: trusted.key });
  await t.notThrowsAsync(opened.check(), 'the file is read for each connection');
});

test('a certificate that has ended is not believed', async (t) => {
  const { db, ca } = await secureServer(t, (one) => one.issue({ isOver: true }));
  for (const mode of ['verify-ca', 'verify-full'] as const) {
    const error = await rejection(t, store(t, db.url('lars'), { mode, ca }), 'configuration');
    t.is(error.code, 'CERT_HAS_EXPIRED');
  }
  await t.notThrowsAsync(store(t, db.url('lars'), { mode: 'required' }));
});

test('a self-signed certificate is not believed, unless it is the one that is trusted', async (t) => {
  const own = new TestAuthority(tempDir(t)).selfSigned();
  const { db, ca } = await secureServer(t, () => own);
  const error = await rejection(t, store(t, db.url('lars'), { mode: 'verify-full', ca }), 'configuration');
  t.is(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await t.notThrowsAsync(store(t, db.url('lars'), { mode: 'verify-full', ca: own.cert }));
});

test('an account that wants a certificate of its client gets the one that is configured', async (t) => {
  const { db, authority, ca } = await secureServer(t, GOOD);
  await db.query(`CREATE USER shown@'%' IDENTIFIED BY '${PASSWORD}' REQUIRE X509`);
  await db.query("GRANT ALL ON lars.* TO shown@'%'");
  const url = db.url('lars').replace('//lars:', '//shown:');
  const { cert, key } = authority.issue({ names: 'DNS:reporter' });
  await rejection(t, store(t, url, { mode: 'verify-full', ca }), 'configuration');
  await t.notThrowsAsync(store(t, url, { mode: 'verify-full', ca, cert, key }));
});

test('a server without TLS is refused where TLS is asked for, and gets no password', async (t) => {
  const greeter = await pretend(t, { hasTls: false, plugin: 'mysql_native_password' });
  const tls = { mode: 'required' } as const;
  const error = await rejection(t, openStore(greeter.url('127.0.0.1'), { tls }).check(), 'configuration');
  t.is(error.code, 'HANDSHAKE_NO_SSL_SUPPORT');
  t.false(greeter.heard().includes(SECRET));
});

test('without TLS, no password goes to whoever is in between, in clear or for a key of his own', async (t) => {
  const address = ownAddress();
  if (address === undefined) {
    t.pass('this machine has no network');
    return;
  }
  for (const [plugin, code] of [
    ['caching_sha2_password', 'PASSWORD_UNPROTECTED'],
    ['sha256_password', 'PASSWORD_UNPROTECTED'],
    ['mysql_clear_password', 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED'],
  ] as const) {
    const greeter = await pretend(t, { hasTls: false, plugin });
    const error = await rejection(t, openStore(greeter.url(address)).check(), 'configuration');
    t.is(error.code, code);
    t.regex(error.message, /set store\.tls\.mode/);
    t.false(greeter.heard().includes(SECRET), plugin);
    t.true(greeter.heard().length < 400, 'no key was used');
  }
});

const SECRET = 'planted-password';
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  type: 'spki',
  format: 'pem',
});
const PLUGIN_AUTH = 0x0008_0000;
const SECURE_CONNECTION = 0x8000;
const PROTOCOL_41 = 0x0200;
const SSL = 0x0800;

/** Something in between that pretends to be a server which wants the password by this plugin. */
async function pretend(t: ExecutionContext, { hasTls, plugin }: { hasTls: boolean; plugin: string }) {
  const heard: Buffer[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(greeting(hasTls));
    let answers = 0;
    socket.on('data', (bytes) => {
      heard.push(bytes);
      answers++;
      if (answers === 1) packet(socket, 2, Buffer.from(`\xfe${plugin}\0${'x'.repeat(20)}\0`, 'latin1'));
      else if (plugin === 'caching_sha2_password' && answers === 2) packet(socket, 4, Buffer.from([1, 4]));
      else packet(socket, plugin === 'sha256_password' ? 4 : 6, Buffer.from(`\x01${KEY}`, 'latin1'));
    });
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address!.port : 0;
  return {
    url: (host: string) => `mysql://lars:${SECRET}@${host}:${port}/lars`,
    heard: () => Buffer.concat(heard).toString('latin1'),
  };
}

function packet(socket: Socket, number: number, body: Buffer): void {
  socket.write(Buffer.concat([Buffer.from([body.length, body.length >> 8, 0, number]), body]));
}

function greeting(hasTls: boolean): Buffer {
  const flags = PLUGIN_AUTH | SECURE_CONNECTION | PROTOCOL_41 | (hasTls ? SSL : 0);
  const body = Buffer.concat([
    Buffer.from('\x0a8.0.30\0\x01\0\0\0abcdefgh\0', 'latin1'),
    Buffer.from([
      flags & 0xff,
      (flags >> 8) & 0xff,
      45,
      2,
      0,
      (flags >> 16) & 0xff,
      (flags >> 24) & 0xff,
      21,
    ]),
    Buffer.alloc(10),
    Buffer.from('abcdefghijkl\0mysql_native_password\0', 'latin1'),
  ]);
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
}
