import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { connectAgent } from '../../../src/client/index.js';
import { lookupApart } from '../../../src/store/mysql/lookup.js';
import { numberedReport } from '../../../src/testing/index.js';
import { until } from '../../../src/testing/until.js';
import { startServe } from '../../../tools/shared/process.js';
import { tempDir } from '../../support/temp.js';

/** All addresses of a host, sorted; rejects with what the lookup failed of. */
function addressesOf(host: string, look = lookupApart(10_000)): Promise<string[]> {
  return new Promise((resolve, reject) => {
    look(host, { all: true }, (error, found) => {
      if (error) reject(error);
      else resolve((found as LookupAddress[]).map(({ address }) => address).sort());
    });
  });
}

test('a name has the addresses that the system gives it, with and without the command', async (t) => {
  const known = (await lookup('localhost', { all: true })).map(({ address }) => address);
  t.true((await addressesOf('localhost')).every((address) => known.includes(address)));
  t.true((await addressesOf('localhost')).length > 0);
  t.deepEqual(await addressesOf('localhost', lookupApart(10_000, '/nowhere/getent')), known.sort());
});

test('one address is given where one is asked for, of the family asked for', async (t) => {
  const found = await new Promise((resolve) => {
    lookupApart(10_000)('127.0.0.1', { family: 4 }, (error, address, family) =>
      resolve([error, address, family]),
    );
  });
  t.deepEqual(found, [null, '127.0.0.1', 4]);
});

test('a name that nobody knows, or that nobody answers for, is an error that names it', async (t) => {
  const cwd = tempDir(t);
  const script = (name: string, text: string) => {
    writeFileSync(path.join(cwd, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path.join(cwd, name);
  };
  const unknown = addressesOf('db.invalid', lookupApart(10_000, script('unknown', 'exit 2')));
  await t.throwsAsync(unknown, { code: 'ENOTFOUND', message: /the host db\.invalid cannot be looked up/ });
  const silent = addressesOf('db.invalid', lookupApart(200, script('silent', 'exec sleep 60')));
  await t.throwsAsync(silent, { code: 'EAI_AGAIN', message: /no answer within 200 ms/ });
});

test('a stop waits for no name server that does not answer', async (t) => {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'asking');
  writeFileSync(path.join(cwd, 'getent'), `#!/bin/sh\necho $$ >> ${file}\nexec sleep 60\n`, { mode: 0o755 });
  const asking = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []);
  const { cli, ready } = await startServe([], {
    cwd,
    env: {
      PATH: `${cwd}:${process.env['PATH']}`,
      ...{ LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' },
      ...{ LARS_STORE_URL: 'mysql://lars:x@db.invalid/lars', LARS_SHUTDOWN_DRAIN_MS: '100' },
      LARS_STORE_CONNECT_TIMEOUT_MS: '2000',
    },
  });
  t.teardown(async () => {
    await cli.stop('SIGKILL');
    // Its last lookups are left behind, for as long as the command sleeps.
    for (const pid of asking().slice(-4)) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
  });
  const before = asking().length;
  t.true(before > 0, 'the store was tried when it started');
  const agent = await connectAgent(ready.listen);
  await agent.send(numberedReport(1, 1, 1, 1));
  await agent.close();
  await until(() => asking().length > before, { boundMs: 20_000, what: 'a writer to look the name up' });
  const { code } = await cli.stop();
  t.is(code, 0);
});
