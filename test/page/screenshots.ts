import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, open, PHONE } from './browser.js';
import { Night } from './night.js';
import { wellStatus } from './well-status.js';

/**
 * `npm run docs:screenshots`: the page on a bad night, for the documentation; times differ from run to run. With a
 * folder: every view in every look, into that folder, to be judged.
 */

const [, , FOLDER] = process.argv;
const TARGET = FOLDER ?? fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));

const SHOTS = [
  { name: 'overview', at: '#/' },
  { name: 'service', at: '#/services/4242/1', full: true },
  { name: 'host', at: '#/hosts/10.128.0.1' },
  { name: 'hosts', at: '#/hosts' },
  { name: 'callers', at: '#/callers' },
  { name: 'caller', at: '#/callers/10.9.1.4' },
  { name: 'changes', at: '#/changes?since=1h' },
  { name: 'reporter', at: '#/reporter', full: true },
  { name: 'help', at: '#/help' },
] as const;

const night = new Night();
const site = night.site({ hasHistory: false });
site.status = wellStatus(night.view.counts());
await site.start();
const timer = setInterval(() => site.second(), 1000);
const browser = await launch();
mkdirSync(TARGET, { recursive: true });

const looks = [
  { look: 'light', options: { colorScheme: 'light' } },
  { look: 'dark', options: { colorScheme: 'dark' } },
  { look: 'phone', options: { ...PHONE, deviceScaleFactor: 1, colorScheme: 'light' } },
  { look: 'zh', options: { colorScheme: 'light', locale: 'zh-CN' } },
] as const;
for (const { look, options } of looks) {
  const { page, context, complaints } = await open(browser, site.url, options);
  for (const shot of SHOTS) {
    const isShown =
      look === 'light' || shot.name === 'overview' || (shot.name === 'service' && look !== 'zh');
    if (FOLDER === undefined && !isShown) continue;
    await page.goto(`${site.url}${shot.at}`);
    await page.waitForSelector('body[data-connection=live] main :is(table, .equation, .keys, .minute)');
    await page.waitForTimeout(700);
    const file = path.join(TARGET, `${shot.name}-${look}.png`);
    await page.screenshot({ path: file, fullPage: 'full' in shot });
  }
  for (const complaint of complaints) process.stderr.write(`${look}: ${complaint}\n`);
  await context.close();
}
await browser.close();
clearInterval(timer);
await site.stop();
