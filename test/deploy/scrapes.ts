import type { ExecutionContext } from 'ava';
import { type Report, type Reporter, type ReporterOptions, startReporter } from '../../src/index.js';
import { MemoryStore, until } from '../../src/testing/index.js';
import { ask, askJson } from '../admin/ask.js';
import { type Family, parsePrometheus } from '../admin/prometheus.js';
import { tempDir } from '../support/temp.js';
import type { RuleSeries } from './promtool.js';

export const BOUND = { boundMs: 30_000 };

/** A reporter with the configuration of a site, on free ports, until the test ends. */
export async function startSite(t: ExecutionContext, options: ReporterOptions = {}): Promise<Reporter> {
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
      names: { '4242/17': 'live list' },
    },
    { store: new MemoryStore(), ...options },
  );
  t.teardown(() => reporter.stop());
  return reporter;
}

/** What one caller says of the only host of a service. */
export function reportOf(overload: boolean): Report {
  return {
    ...{ modid: 4242, cmdid: 17, caller: 0x0a090001, ts: Math.floor(Date.now() / 1000) },
    results: [{ ip: 0x0a020007, port: 80, succ: overload ? 0 : 90, err: 0, overload }],
  };
}

/** Waits until the view has a service at this level. */
export async function untilLevel(t: ExecutionContext, { admin }: Reporter, level: string): Promise<void> {
  const levelNow = async () => {
    const { body } = await askJson<{ services?: { level: string }[] }>(t, admin!, '/api/services');
    return body.services?.[0]?.level === level;
  };
  await until(levelNow, { ...BOUND, what: `the service to be at ${level}` });
}

export interface Scrape {
  readonly text: string;
  readonly families: ReadonlyMap<string, Family>;
}

/** What Prometheus gets of a running reporter at `/metrics` and `/metrics/services`. */
export async function scrape({ admin }: Reporter): Promise<Scrape> {
  const texts = await Promise.all(
    ['/metrics', '/metrics/services'].map(async (path) => (await ask(admin!, path)).body),
  );
  const text = texts.join('');
  return { text, families: parsePrometheus(text) };
}

/** The samples of a scrape as series, with the labels that a scrape job adds; they stay as they are for two hours. */
export function seriesOf({ families }: Scrape): RuleSeries[] {
  const added = 'job="lars-reporter",instance="a:7780"';
  const samples = [...families.values()].flatMap((family) => [...family.samples]);
  return [
    [`up{${added}}`, '1+0x120'],
    ...samples.map(([sample, value]): RuleSeries => {
      const labelled = sample.includes('{') ? sample.replace('{', `{${added},`) : `${sample}{${added}}`;
      return [labelled, `${value}+0x120`];
    }),
  ];
}
