import anyTest, { type TestFn } from 'ava';
import type { Browser } from 'playwright-core';
import { launch, open, PHONE } from './browser.js';
import { eventually, expectAccessible, expectToFit, LIVE } from './looking.js';
import { HOSTILE_NAME, Night } from './night.js';
import type { Site } from './site.js';

const test = anyTest as TestFn<{ browser: Browser; site: Site; timer: NodeJS.Timeout }>;

test.before(async (t) => {
  const site = new Night().site();
  await site.start();
  t.context = { browser: await launch(), site, timer: setInterval(() => site.second(), 1000) };
});

test.after.always(async ({ context }) => {
  clearInterval(context.timer);
  await context.browser?.close();
  await context.site?.stop();
});

const VIEWS = [
  { at: '#/', shows: '[data-service="4242/4"]' },
  { at: '#/services/4242/1?host=10.128.0.1:8001&caller=10.9.0.1', shows: '.raw li' },
  { at: '#/hosts', shows: '[data-host="10.128.0.1"]' },
  { at: '#/hosts/10.128.0.1', shows: '[data-host="10.128.0.1:8001"]' },
  { at: '#/callers', shows: '[data-caller="10.9.1.4"]' },
  { at: '#/callers/10.9.1.4', shows: '[data-verdict=overloaded]' },
  { at: '#/changes?since=1h', shows: '[data-change=incident-began]' },
  { at: '#/reporter', shows: '[data-ledger=received]' },
  { at: '#/help', shows: 'kbd' },
] as const;

for (const scheme of ['light', 'dark'] as const)
  test.serial(
    `each view hinders nobody, in the ${scheme} theme, and breaks no rule of the browser`,
    async (t) => {
      const { browser, site } = t.context;
      const { page, context, complaints } = await open(browser, site.url, { colorScheme: scheme });
      for (const { at, shows } of VIEWS) {
        await page.goto(`${site.url}${at}`);
        await page.waitForSelector(`${LIVE} ${shows}`);
        await expectAccessible(t, page, `${at} ${scheme}`);
        await expectToFit(t, page, at);
      }
      t.deepEqual(complaints, []);
      await context.close();
    },
  );

test.serial('each view fits a phone, and hinders nobody there', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, site.url, PHONE);
  for (const { at, shows } of VIEWS) {
    await page.goto(`${site.url}${at}`);
    await page.waitForSelector(`${LIVE} ${shows}`);
    await expectToFit(t, page, at);
    await expectAccessible(t, page, `${at} phone`);
  }
  await context.close();
});

for (const [window, options] of [
  ['1280×800', {}],
  ['a phone', PHONE],
] as const)
  test.serial(`without a click, ${window} shows what is wrong, and the worst service`, async (t) => {
    const { browser, site } = t.context;
    const { page, context } = await open(browser, site.url, options);
    const first = page.locator('[data-service]').first();
    await first.waitFor();
    t.is(await first.getAttribute('data-service'), '4242/4');
    t.is(await first.getAttribute('data-level'), 'outage');
    const height = page.viewportSize()!.height;
    for (const selector of ['[data-level-count=outage]', '.now .lead', '[data-service="4242/4"] .state'])
      t.true((await page.locator(selector).boundingBox())!.y < height, selector);
    t.regex(await page.title(), /^● 1 outage – Lars$/);
    t.regex((await page.locator('.pill.live').textContent())!, /^live · as of \d\d:\d\d:\d\d$/);
    await context.close();
  });

test.serial('levels and search filter by the address, and back undoes nothing else', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, site.url);
  await page.waitForSelector(`${LIVE} [data-service]`);
  await page.click('[data-level-count=overloaded]');
  await eventually(t, page, '!document.querySelector("tr[data-level=outage]")');
  t.regex(page.url(), /#\/\?level=overloaded$/);
  await page.keyboard.press('/');
  await page.keyboard.type('4242/6');
  await eventually(t, page, 'document.querySelectorAll("tr[data-service]").length === 1');
  t.regex(page.url(), /q=4242\/6/);
  await page.fill('#search', 'nothing is called so');
  await page.waitForSelector('[data-state-of-page=no-match]');
  await page.click('[data-state-of-page=no-match] a');
  await page.waitForSelector('[data-service="4242/4"]');
  await context.close();
});

test.serial('keys go through the rows, into one, up again, and to the other views', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, site.url);
  await page.waitForSelector(`${LIVE} [data-service]`);
  const second = await page.locator('tr[data-service]').nth(1).getAttribute('data-service');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`div.service[data-service="${second}"]`);
  await page.keyboard.press('u');
  await page.waitForSelector('tr[data-service]');
  for (const [key, at] of [
    ['c', 'changes'],
    ['h', 'hosts'],
    ['a', 'callers'],
    ['r', 'reporter'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(new RegExp(`#/${at}$`));
  }
  await page.keyboard.press('?');
  await page.waitForURL(/#\/help$/);
  t.pass();
  await context.close();
});

test.serial('a row that is red is a sick host, a cell shows what its caller said', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, `${site.url}#/services/4242/1`);
  const cell = page.locator('td[data-host="10.128.0.1:8001"][data-caller="10.9.0.1"]');
  await cell.waitFor();
  t.regex((await cell.getAttribute('data-verdict'))!, /^(overloaded|recovering)$/);
  t.is(await page.locator('.matrix tbody tr').first().locator('th').textContent(), '10.128.0.1:8001');
  await cell.locator('button').click();
  await page.waitForSelector('[data-raw="10.128.0.1:8001 10.9.0.1"] li');
  t.regex(page.url(), /host=10\.128\.0\.1:8001&caller=10\.9\.0\.1/);
  await cell.locator('button').focus();
  await page.keyboard.press('ArrowRight');
  t.is(await page.evaluate('document.activeElement.closest("td").dataset.host'), '10.128.0.1:8001');
  t.not(await page.evaluate('document.activeElement.closest("td").dataset.caller'), '10.9.0.1');
  await context.close();
});

test.serial(
  'the order stays while the pointer is in the table, and is applied when that is asked for',
  async (t) => {
    const { browser, site } = t.context;
    const { page, context } = await open(browser, `${site.url}#/?sort=calls`);
    await page.waitForSelector(`${LIVE} tr[data-service]`);
    const order = () =>
      page.evaluate<string[]>(
        '[...document.querySelectorAll("tr[data-service]")].map((row) => row.dataset.service)',
      );
    await page.mouse.move(400, 500);
    await page.mouse.move(405, 505);
    const before = await order();
    await page.waitForSelector('[data-apply]:not(.hidden)', { timeout: 20_000 });
    t.deepEqual(await order(), before);
    await page.keyboard.press('.');
    const rows =
      '[...document.querySelectorAll("tr[data-service]")].map((row) => row.dataset.service).join()';
    await eventually(t, page, `${rows} !== ${JSON.stringify(before.join())}`);
    await context.close();
    t.pass();
  },
);

test.serial('a name is text, whatever it is', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, `${site.url}#/services/4242/5`);
  t.is(await page.locator('h1 .name').textContent(), HOSTILE_NAME);
  t.is(await page.locator('main img').count(), 0);
  await context.close();
});

test.serial('Chinese is spoken to those who read it, and kept in the address', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, site.url, { locale: 'zh-CN' });
  await page.waitForSelector(`${LIVE} [data-service]`);
  t.is(await page.locator('html').getAttribute('lang'), 'zh-CN');
  t.is(await page.locator('nav a').first().textContent(), '总览');
  await page.click('.language');
  await eventually(t, page, 'document.documentElement.lang === "en-GB"');
  t.regex(page.url(), /lang=en/);
  await page.click('nav a:nth-child(2)');
  await page.waitForURL(/#\/hosts\?lang=en$/);
  t.is(await page.locator('h1').textContent(), 'Hosts');
  await context.close();
});

test.serial('the theme is chosen and kept', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, site.url);
  await page.waitForSelector(LIVE);
  await page.keyboard.press('t');
  await page.keyboard.press('t');
  t.is(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.reload();
  await page.waitForSelector(LIVE);
  t.is(await page.locator('html').getAttribute('data-theme'), 'dark');
  await context.close();
});

test.serial('the plot is a table, too', async (t) => {
  const { browser, site } = t.context;
  const { page, context } = await open(browser, `${site.url}#/services/4242/1`);
  await page.click('.plot summary');
  await page.waitForSelector('.series tbody tr');
  t.is(await page.locator('.series tbody tr').count(), 30);
  await context.close();
});
