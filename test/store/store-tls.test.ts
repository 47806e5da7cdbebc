import test from 'ava';
import { startReporter } from '../../src/index.js';
import { storeWayWarning } from '../../src/store/store-tls.js';
import { ownAddress } from '../support/own-address.js';
import { tempDir } from '../support/temp.js';

test('a store that others can listen to is warned of, one on this machine or with TLS is not', (t) => {
  for (const host of ['db', '10.0.0.1', '[fd00::1]'])
    t.regex(
      storeWayWarning(`mysql://lars:hunter2@${host}/lars`) ?? '',
      /^rows go to the store at \S+ without encryption.*: set store\.tls\.mode to verify-full$/,
    );
  for (const url of [
    'mysql://lars:hunter2@127.0.0.1/lars',
    'mysql://lars:hunter2@[::1]/lars',
    'mysql://lars:hunter2@localhost/lars',
    'mysql://lars:hunter2@localhost/lars?socket=/s',
    'mysql://lars:hunter2@db/lars?ssl-mode=REQUIRED',
    'embedded:/srv/store',
  ])
    t.is(storeWayWarning(url), undefined);
  t.is(storeWayWarning('mysql://lars@db/lars', { mode: 'verify-full' }), undefined);
  t.regex(
    storeWayWarning('mysql://lars@localhost/lars?socket=/s', { mode: 'required' }) ?? '',
    /it protects nothing there$/,
  );
});

test('a reporter says once that the way to its store is not protected', async (t) => {
  const address = ownAddress();
  if (address === undefined) {
    t.pass('this machine has no network');
    return;
  }
  const lines: string[] = [];
  const line = (_fields: object, message: string) => void lines.push(message);
  const silent = () => {};
  const dir = tempDir(t);
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      journal: { dir: `${dir}/journal` },
      store: { url: `mysql://lars:hunter2@${address}:1/lars` },
    },
    { logger: { debug: silent, info: silent, warn: line, error: line } },
  );
  await reporter.stop();
  t.is(lines.filter((one) => one.includes('without encryption')).length, 1);
  t.false(lines.some((one) => one.includes('hunter2')));
});
