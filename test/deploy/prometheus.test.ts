import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Family } from '../admin/prometheus.js';
import { tempDir } from '../support/temp.js';
import { anchorsOf, dashboard, expressionsOf, PROJECT, pathOf, rulesIn, textOf } from './files.js';
import { promtool } from './promtool.js';
import { reportOf, type Scrape, scrape, startSite, untilLevel } from './scrapes.js';

const RULES = 'deploy/prometheus/lars-reporter.rules.yml';
const rules = rulesIn(textOf(RULES));
const EXPRESSIONS = [...rules.map(({ expr }) => expr), ...expressionsOf(dashboard())];
const PAGES = [
  ...['README.md', 'README.zh-CN.md'],
  ...readdirSync(path.join(PROJECT, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

let scraped: Promise<Scrape> | undefined;

/** A scrape of a reporter that has a service; the same one for all tests. */
function liveScrape(t: ExecutionContext): Promise<Scrape> {
  scraped ??= (async () => {
    const reporter = await startSite(t);
    await reporter.report(reportOf(false));
    await untilLevel(t, reporter, 'ok');
    return scrape(reporter);
  })();
  return scraped;
}

/** The family that a name in an expression is of; a histogram's has three names. */
async function familiesOf(t: ExecutionContext): Promise<(name: string) => Family | undefined> {
  const { families } = await liveScrape(t);
  return (name) => {
    const histogram = families.get(name.replace(/_(bucket|sum|count)$/, ''));
    return histogram?.type === 'histogram' ? histogram : families.get(name);
  };
}

const namesIn = (text: string) => [
  ...new Set([...text.matchAll(/\blars_reporter_[a-z_]+/g)].map(([name]) => name)),
];

test('each metric that rules, dashboard and documentation name is there in a scrape', async (t) => {
  const familyOf = await familiesOf(t);
  const { templating } = dashboard();
  const queries = templating.list.map(({ definition = '' }) => definition);
  const named = [...EXPRESSIONS, ...queries, ...PAGES.map(textOf)].flatMap(namesIn);
  t.true(named.length > 40);
  for (const name of named) t.truthy(familyOf(name), name);
});

test('rates are taken of what only rises, and of nothing else', async (t) => {
  const familyOf = await familiesOf(t);
  for (const expr of EXPRESSIONS) {
    for (const [, fn = '', name = ''] of expr.matchAll(/\b(\w+)\(\s*(lars_reporter_[a-z_]+)/g)) {
      const { type } = familyOf(name)!;
      const rises = type === 'counter' || type === 'histogram';
      if (/^(rate|increase|irate)$/.test(fn)) t.true(rises, `${fn}(${name}) of a ${type}: ${expr}`);
      else t.false(rises, `${fn}(${name}) of a ${type}: ${expr}`);
    }
    for (const name of namesIn(expr)) {
      const { type } = familyOf(name)!;
      if (type === 'counter' || type === 'histogram')
        t.regex(expr, new RegExp(`\\b(rate|increase)\\(${name}\\b`), `${name} as it is: ${expr}`);
    }
  }
});

test('quantiles are taken of the buckets of a histogram, with their bounds', async (t) => {
  const familyOf = await familiesOf(t);
  const quantiles = EXPRESSIONS.filter((expr) => expr.includes('histogram_quantile('));
  t.true(quantiles.length >= 4);
  for (const expr of quantiles) {
    t.regex(
      expr,
      /histogram_quantile\([\d.]+, sum by \((?:[a-z]+, )*le\) \(rate\(lars_reporter_[a-z_]+_bucket/,
    );
    for (const name of namesIn(expr)) t.is(familyOf(name)!.type, 'histogram', name);
  }
});

test('labels that are asked for are there', async (t) => {
  const familyOf = await familiesOf(t);
  const added = ['job', 'instance'];
  for (const expr of EXPRESSIONS)
    for (const [, name = '', matchers = ''] of expr.matchAll(/(lars_reporter_[a-z_]+)\{([^}]*)\}/g)) {
      const samples = [...familyOf(name)!.samples.keys()].join('\n');
      for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
        if (added.includes(label)) continue;
        t.regex(samples, new RegExp(`[{,]${label}="`), `${label} of ${name}`);
        for (const one of value.split('|'))
          if (one !== '.*')
            t.regex(samples, new RegExp(`[{,]${label}="${one}"`), `${label} of ${name}: ${one}`);
      }
    }
});

test('a scrape and the rules are as Prometheus wants them', async (t) => {
  const { text } = await liveScrape(t);
  for (const { code, said } of [
    promtool(['check', 'rules', pathOf(RULES)]),
    promtool(['check', 'config', pathOf('deploy/prometheus/prometheus.yml')]),
    promtool(['check', 'metrics'], text),
  ])
    t.is(code, 0, said);
});

test('each expression of the dashboard is one that Prometheus can evaluate', (t) => {
  const file = path.join(tempDir(t), 'dashboard.json');
  const recorded = expressionsOf(dashboard()).map((expr, index) => ({ record: `panel:${index}`, expr }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
  const { code, said } = promtool(['check', 'rules', file]);
  t.is(code, 0, said);
});

test('the dashboard can be imported anywhere: it has a uid, and numbers of no other Grafana', (t) => {
  const { uid, id, schemaVersion, panels } = dashboard();
  t.is(uid, 'lars-reporter');
  t.is(id, undefined);
  t.is(schemaVersion, 38);
  for (const { id: number, type, title, description = '', fieldConfig } of panels) {
    t.is(number, undefined, title);
    if (type === 'row') continue;
    t.true(description.length > 20, `${title} says what it shows`);
    t.truthy(fieldConfig?.defaults.unit, `${title} has a unit`);
  }
});

test('each alert says what is wrong, what it means, and where it is written what to do', (t) => {
  t.true(rules.length >= 14);
  const anchors = anchorsOf(textOf('docs/operations.md'));
  for (const { alert, severity, summary, description, runbook } of rules) {
    t.regex(severity, /^(page|ticket)$/, alert);
    t.true(summary.length > 10 && description.length > 20, alert);
    const [file, anchor = ''] = runbook.split('#');
    t.is(file, 'docs/operations.md', alert);
    t.true(anchors.has(anchor), `${alert}: ${runbook}`);
  }
});

test('/metrics stays small, however many services there are: series of these stand at /metrics/services', async (t) => {
  const reporter = await startSite(t);
  for (let modid = 1; modid <= 300; modid++) await reporter.report({ ...reportOf(false), modid });
  await untilLevel(t, reporter, 'ok');
  const { families } = await scrape(reporter);
  const counts = [...families].map(([name, { samples }]) => [name, samples.size] as const);
  const isOfService = (name: string) => /^lars_reporter_service(_|s_omitted$)/.test(name);
  const all = counts.filter(([name]) => !isOfService(name)).reduce((sum, [, count]) => sum + count, 0);
  t.true(all < 200, `${all} series`);
});
