import path from 'node:path';
import anyTest, { type TestFn } from 'ava';
import type { Browser } from 'playwright-core';
import { runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { launch, open } from './browser.js';
import { LIVE } from './looking.js';

const test = anyTest as TestFn<{ browser: Browser }>;

test.before(async (t) => {
  t.context.browser = await launch();
});

test.after.always(async (t) => {
  await t.context.browser?.close();
});

test('the page of a real reporter shows what an agent reports, and that the reporter left and came back', async (t) => {
  const folder = tempDir(t);
  const env = {
    ...{ LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0', LARS_LOG_LEVEL: 'error' },
    LARS_JOURNAL_DIR: path.join(folder, 'journal'),
    LARS_STORE_URL: `embedded:${path.join(folder, 'store')}`,
  };
  const first = await startServe([], { cwd: folder, env });
  t.teardown(() => first.cli.stop('SIGKILL'));
  const { port } = first.ready.admin!;
  const send = (host: string, to: number) =>
    runCli(
      [
        ...['send', '--modid', '4242', '--cmdid', '17', '--caller', '10.0.0.9', '--host', host],
        ...['--to', `127.0.0.1:${to}`],
      ],
      { cwd: folder },
    );
  t.is((await send('10.0.0.1:80,overload', first.ready.listen.port)).code, 0);
  const { page, complaints } = await open(t.context.browser, `http://127.0.0.1:${port}/`);
  // Its only host, and all that call it.
  await page.waitForSelector(`${LIVE} [data-service="4242/17"][data-level=outage]`, { timeout: 20_000 });
  await page.click('[data-service="4242/17"] a');
  await page.waitForSelector('td[data-host="10.0.0.1:80"][data-caller="10.0.0.9"][data-verdict=overloaded]');
  await page.goto(`http://127.0.0.1:${port}/#/reporter`);
  await page.waitForSelector('[data-balanced=true] [data-ledger=received]');
  await page.goto(`http://127.0.0.1:${port}/#/`);
  await page.waitForSelector(`${LIVE} [data-service="4242/17"]`);
  t.deepEqual(complaints, []);
  t.is((await first.cli.stop()).code, 0);
  await page.waitForSelector('body[data-connection=lost] [data-service="4242/17"]', { timeout: 20_000 });
  const second = await startServe([], { cwd: folder, env: { ...env, LARS_ADMIN_PORT: String(port) } });
  t.teardown(() => second.cli.stop());
  await page.waitForSelector(`${LIVE} [data-service="4242/17"]`, { timeout: 40_000 });
  t.is((await send('10.0.0.2:80', second.ready.listen.port)).code, 0);
  await page.goto(`http://127.0.0.1:${port}/#/services/4242/17`);
  await page.waitForSelector('tr[data-host="10.0.0.2:80"]');
});
