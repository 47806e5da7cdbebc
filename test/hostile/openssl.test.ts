import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { until } from '../../src/testing/until.js';
import { TestAuthority } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';
import { BOUND, frameOf, TlsSite } from '../support/tls.js';

test('frames come from openssl as from any other client; what it refuses and what is refused is told', async (t) => {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }));
  const { authority, port } = site;
  const cwd = mkdtempSync(path.join(tempDir(t), 'openssl-'));
  const client = (...more: string[]) => {
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-quiet',
      '-verify_quiet',
      '-no_ign_eof',
      ...more,
    ];
    const child = spawn('openssl', args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    t.teardown(() => void child.kill('SIGKILL'));
    child.stdin.on('error', () => {});
    return child;
  };
  const { cert, key } = authority.issue();
  const shown = ['-cert', cert, '-key', key];
  for (const [index, version] of ['-tls1_2', '-tls1_3'].entries()) {
    const child = client(
      ...shown,
      version,
      '-CAfile',
      authority.ca,
      '-verify_return_error',
      '-verify_ip',
      '127.0.0.1',
    );
    child.stdin.write(frameOf(index, index + 1, 5));
    await site.stored(index + 1);
    child.stdin.end();
    await once(child, 'close');
  }
  // `R` at the beginning of a line asks for new keys.
  const asking = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', ...shown], {
    cwd,
  });
  t.teardown(() => void asking.kill('SIGKILL'));
  asking.stdin.on('error', () => {});
  await until(() => site.tls.connections === 1, { ...BOUND, what: 'it to be connected' });
  asking.stdin.write('R\n');
  await once(asking, 'close');
  t.is(site.tls.handshakes, 3, 'no key was agreed on anew');

  const { ca } = new TestAuthority(cwd);
  await once(
    client(...shown, '-CAfile', ca, '-verify_return_error').on('error', () => {}),
    'close',
  );
  await site.failed('peer');
  await once(client('-CAfile', authority.ca), 'close');
  await site.failed('no-certificate');
  t.regex(site.warnings[0]!.message, /does not take the certificate of listen\.tls\.cert/);
});
