import http from 'node:http';
import type { AddressInfo } from 'node:net';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { Browser } from 'playwright-core';
import { until } from '../../src/testing/until.js';
import { World } from '../view/world.js';
import { launch, type Opened, open } from './browser.js';
import { eventually, expectAccessible, LIVE } from './looking.js';
import { Site, type SiteOptions } from './site.js';

const test = anyTest as TestFn<{ browser: Browser }>;

test.before(async (t) => {
  t.context.browser = await launch();
});

test.after.always(async (t) => {
  await t.context.browser?.close();
});

/** A site with one service, unless it is to be empty. A second passes every 100 ms. */
async function siteOf(t: ExecutionContext, given: Partial<SiteOptions> & { isEmpty?: boolean } = {}) {
  const { isEmpty = false, ...options } = given;
  const world = new World();
  const report = () => {
    if (!isEmpty) world.say({ hosts: { '10.0.0.1:80': [9, 0], '10.0.0.2:80': [8, 1] } });
  };
  const site = new Site({
    view: world.view,
    nowS: () => world.now,
    onSecond: () => {
      world.now++;
      report();
    },
    ...options,
  });
  await site.start();
  site.second();
  const timer = setInterval(() => site.second(), 100);
  t.teardown(() => {
    clearInterval(timer);
    return site.stop();
  });
  return { site, world };
}

async function opened(t: ExecutionContext<{ browser: Browser }>, url: string): Promise<Opened> {
  const found = await open(t.context.browser, url);
  t.teardown(() => found.context.close());
  return found;
}

test('before the first report the page says how to send one', async (t) => {
  const { site } = await siteOf(t, { isEmpty: true });
  const { page } = await opened(t, site.url);
  await page.waitForSelector('[data-state-of-page=empty] code');
  await expectAccessible(t, page, 'empty');
});

test('a service that nobody has reported is said to be unknown', async (t) => {
  const { site } = await siteOf(t);
  const { page } = await opened(t, `${site.url}#/services/9/9`);
  await page.waitForSelector('[data-state-of-page=unknown]');
  t.regex((await page.locator('main').textContent())!, /no agent has reported service 9\/9/);
  await page.goto(`${site.url}#/nothing`);
  await page.waitForSelector('[data-state-of-page=unknown] h1');
});

test('when the reporter stops, the page keeps what it knew, says how old it is, and comes back by itself', async (t) => {
  const { site } = await siteOf(t);
  const { page } = await opened(t, site.url);
  await page.waitForSelector(`${LIVE} [data-service="1/2"]`);
  await site.stop();
  await page.waitForSelector('body[data-connection=lost] [data-banner=lost]', { timeout: 10_000 });
  t.is(await page.locator('[data-service="1/2"]').count(), 1);
  t.regex(await page.title(), /^not live – /);
  t.regex((await page.locator('[data-banner=lost]').textContent())!, /This is how it was at \d\d:\d\d:\d\d/);
  await expectAccessible(t, page, 'lost');
  await site.start();
  await page.waitForSelector(LIVE, { timeout: 20_000 });
  t.is(await page.locator('[data-banner=lost]').count(), 0);
});

test('with a token, the page asks for it once, and no data are there before', async (t) => {
  const { site } = await siteOf(t, { token: 'open sesame', viewToken: 'look' });
  const { page, context } = await opened(t, site.url);
  await page.waitForSelector('body[data-connection=login] form.login');
  t.is(await page.locator('[data-service]').count(), 0);
  await expectAccessible(t, page, 'login');
  await page.fill('input[name=token]', 'wrong');
  await page.click('form.login button');
  await eventually(t, page, 'document.querySelector(".login [role=alert]").textContent !== ""');
  await page.fill('input[name=token]', 'look');
  await page.click('form.login button');
  await page.waitForSelector(`${LIVE} [data-service="1/2"]`);
  const other = await context.newPage();
  await other.goto(`${site.url}#/reporter`);
  await other.waitForSelector(`${LIVE} [data-letters]`);
  t.is(await other.locator('[data-letters] button').count(), 0, 'who may only look is offered nothing else');
});

test('what is wrong with the reporter is said on every view, with what it means', async (t) => {
  const { site } = await siteOf(t);
  site.problem('store-away');
  site.problem('journal-failing', 'critical');
  site.problem('agents-gone', 'notice');
  const { page } = await opened(t, `${site.url}#/changes`);
  for (const name of ['store-away', 'journal', 'agents-gone'])
    await page.waitForSelector(`[data-banner=${name}]`);
  t.regex((await page.locator('[data-banner=store-away]').textContent())!, /kept and shown here/);
  t.is(await page.locator('[data-reporter]').getAttribute('data-reporter'), 'unwell');
  await page.goto(`${site.url}#/reporter`);
  await page.waitForSelector('[data-problem=store-away]');
  await expectAccessible(t, page, 'unwell');
});

test('warming up, being behind, seeing a part and draining are said', async (t) => {
  const { site, world } = await siteOf(t);
  world.view.condition = { warmingRows: 12_000, behind: { seconds: 42, droppedRows: 7 } };
  site.health.state = 'draining';
  const { page } = await opened(t, site.url);
  for (const name of ['warming', 'view-behind', 'draining'])
    await page.waitForSelector(`[data-banner=${name}]`);
  t.regex((await page.locator('[data-banner=warming]').textContent())!, /12,000 rows/);
  world.view.condition = {};
  await page.waitForSelector('[data-banner=warming]', { state: 'detached' });
});

test('another build asks for a reload', async (t) => {
  const { site } = await siteOf(t, { build: 'one' });
  const { page } = await opened(t, site.url);
  await page.waitForSelector(LIVE);
  await site.stop();
  const port = Number(new URL(site.url).port);
  await siteOf(t, { build: 'two', port });
  await page.waitForSelector('[data-banner=new-build] button', { timeout: 20_000 });
  t.pass();
});

test('a paused page hears nothing, and goes on where it was', async (t) => {
  const { site } = await siteOf(t);
  const { page } = await opened(t, site.url);
  await page.waitForSelector(`${LIVE} [data-service]`);
  await page.keyboard.press('p');
  await page.waitForSelector('body[data-connection=paused] [data-banner=paused]');
  await until(() => site.streams === 0, { boundMs: 10_000, what: 'the stream to end' });
  await page.keyboard.press('p');
  await page.waitForSelector(LIVE);
  await until(() => site.streams === 1, { boundMs: 10_000, what: 'a stream' });
  t.is(await page.locator('[data-banner=paused]').count(), 0);
});

test('eight pages in one browser all show what happens', async (t) => {
  const { site } = await siteOf(t);
  const { page, context } = await opened(t, site.url);
  const pages = [page];
  while (pages.length < 8) {
    const next = await context.newPage();
    await next.goto(site.url);
    pages.push(next);
  }
  for (const each of pages) await each.waitForSelector(`${LIVE} [data-service="1/2"]`, { timeout: 20_000 });
  t.true(site.streams <= 6, `${site.streams} streams`);
});

test('below the path of a proxy, everything is there', async (t) => {
  const { site } = await siteOf(t);
  const target = new URL(site.url);
  const proxy = http.createServer((request, response) => {
    const path = request.url!.replace(/^\/some\/where/, '');
    const asked = http.request(
      { host: '127.0.0.1', port: target.port, path, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const { page, complaints } = await opened(t, `http://127.0.0.1:${port}/some/where/#/services/1/2`);
  await page.waitForSelector(`${LIVE} .matrix [data-verdict]`);
  t.deepEqual(
    complaints.filter((text) => !text.includes('404')),
    [],
  );
});
