import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

export const pathOf = (file: string) => path.join(PROJECT, file);
export const textOf = (file: string) => readFileSync(pathOf(file), 'utf8');

/** The places in a page of Markdown that links can name. */
export function anchorsOf(markdown: string): Set<string> {
  const titles = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly severity: string;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
}

/** The alerts of a file of rules that is laid out as ours is. */
export function rulesIn(yaml: string): Rule[] {
  return yaml
    .split(/^\s+- alert: /m)
    .slice(1)
    .map((text) => {
      const field = (name: string) => new RegExp(`^\\s+${name}: (.+)$`, 'm').exec(text)?.[1] ?? '';
      return {
        alert: text.split('\n', 1)[0] ?? '',
        expr: field('expr'),
        severity: /severity: (\w+)/.exec(text)?.[1] ?? '',
        summary: field('summary'),
        description: field('description'),
        runbook: field('runbook'),
      };
    });
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly id?: number;
  readonly targets?: readonly { readonly expr: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export interface Dashboard {
  readonly uid: string;
  readonly id?: number;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export function dashboard(): Dashboard {
  return JSON.parse(textOf('deploy/grafana/lars-reporter.json')) as Dashboard;
}

/** Every expression of the dashboard, with values in the place of variables. */
export function expressionsOf({ panels, annotations }: Dashboard): string[] {
  const all = [...panels.flatMap(({ targets = [] }) => targets), ...annotations.list];
  return all.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'));
}
