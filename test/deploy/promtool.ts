import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const PROMTOOL = process.env['PROMTOOL'] ?? 'promtool';

export interface Ran {
  readonly code: number | null;
  readonly said: string;
}

/** Runs promtool, which `sh tools/shared/need.sh promtool` installs. Throws when it is not there. */
export function promtool(args: readonly string[], input = ''): Ran {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL, args, { input, encoding: 'utf8' });
  if (error) throw error;
  return { code: status, said: stdout + stderr };
}

/** A series as `promtool test rules` takes it: `lars_reporter_x{job="a"}` and `0 1+1x9`, a value a minute. */
export type RuleSeries = readonly [series: string, values: string];

export interface RuleCase {
  readonly series: readonly RuleSeries[];
  /** The alerts that fire at a minute, by name and value of one label; all others do not. */
  readonly fires: Readonly<Record<number, readonly string[]>>;
}

/** Runs the rules over series; the outcome of each minute is compared with what is to fire then. */
export function testRules(dir: string, rules: string, cases: readonly RuleCase[]): Ran {
  const file = path.join(dir, 'rules.test.json');
  const tests = cases.map(({ series, fires }) => ({
    interval: '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: Object.entries(fires).map(([minute, alerts]) => ({
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${minute}m`,
      exp_samples: alerts.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
    })),
  }));
  // YAML takes JSON as it is.
  writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
  return promtool(['test', 'rules', file]);
}
