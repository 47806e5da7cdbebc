import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { until } from '../../src/testing/index.js';
import { renew, TestAuthority } from '../../tools/shared/certificates.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const TOKEN = 'open sesame';

/** A reporter with HTTPS and a token in files. */
async function secureSite(t: ExecutionContext, keeper: boolean) {
  const cwd = tempDir(t);
  const authority = new TestAuthority(cwd);
  const tls = authority.issue();
  const tokenFile = path.join(cwd, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const config = {
    listen: { host: '127.0.0.1', port: 0 },
    keeper: { enabled: keeper },
    admin: { port: 0, tls, tokenFile },
  };
  writeFileSync(path.join(cwd, 'config.json'), JSON.stringify(config));
  const { cli, ready } = await startServe([], { cwd });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const { host, port } = ready.admin!;
  const shown = async () => {
    const socket = connect({ host, port, ca: readFileSync(authority.ca) });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const run = (...args: string[]) => runCli([...args, '--admin', `${host}:${port}`], { cwd });
  return { cli, authority, tls, tokenFile, shown, run, cwd };
}

for (const keeper of [true, false])
  test(`certificate and token are read again in place, from files of the same names, ${keeper ? 'with' : 'without'} a keeper`, async (t) => {
    const { cli, authority, tls, tokenFile, shown, run, cwd } = await secureSite(t, keeper);
    const pid = cli.readerPid;
    t.is((await run('status')).code, 0);
    t.is((await run('dead-letters', 'list')).code, 0);
    t.is((await run('reload')).stdout, 'nothing has changed\n');

    const before = await shown();
    renew(tls, authority.issue());
    writeFileSync(tokenFile, 'another one');
    t.is((await run('status')).code, 3, 'the new token is not that of the reporter yet');
    cli.child.kill('SIGHUP');
    const taken = '"outcome":"in-place","keys":["admin.token","admin.tls.cert"]';
    await until(() => cli.stderr.includes(taken), { ...BOUND, what: 'the reload' });
    t.not(await shown(), before);
    t.is(cli.readerPid, pid);
    t.is((await run('status')).code, 0);

    const then = await shown();
    writeFileSync(tls.cert, 'no certificate');
    t.regex((await runCli(['check'], { cwd })).stderr, /admin\.tls\.cert = ".*": holds no certificate/);
    cli.child.kill('SIGHUP');
    await until(() => cli.stderr.includes('nothing has changed'), { ...BOUND, what: 'the refusal' });
    t.is(await shown(), then);
  });

test('commands believe the certificate of the configuration and one of its authority, and give no token to another', async (t) => {
  const { authority, tls, run } = await secureSite(t, true);
  const own = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
  const chmodded = (content: Buffer) => {
    writeFileSync(tls.cert, content);
    chmodSync(tls.cert, 0o644);
  };
  const stranger = new TestAuthority(tempDir(t));
  renew(tls, stranger.selfSigned());
  const { code, stderr } = await run('status');
  t.is(code, 3);
  t.regex(
    stderr,
    /shows another certificate than .*: if that was renewed, have the reporter read it with SIGHUP/,
  );
  // What it shows is of the authority behind the new certificate.
  const next = authority.issue();
  renew(tls, next);
  chmodded(Buffer.concat([readFileSync(next.cert), readFileSync(authority.ca)]));
  t.like(await run('status'), { code: 0, stderr: '' });
  writeFileSync(tls.key, own.key);
  chmodded(own.cert);
  t.is((await run('status')).code, 0);
});
