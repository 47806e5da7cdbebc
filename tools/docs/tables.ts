import { configTable, describeConfig } from '../../src/config/index.js';
import { MUTANTS } from '../mutants/list.js';
import { documentedTable } from '../mutants/report.js';
import { sectionOf } from '../shared/markdown.js';
import { COLUMNS_IN_CHINESE, inChinese } from './config-zh.js';
import { errorCodes, events, metrics, serviceMetrics, storeErrorClasses } from './reference.js';

/** A table of the documentation that follows from something else. */
export interface GeneratedTable {
  /** Of its markers. */
  readonly section: string;
  readonly file: string;
  /** Which `npm run docs:…` writes it. */
  readonly script: 'config' | 'mutants' | 'reference';
  /** `project`: its folder; `markdown`: the file as it is. */
  readonly content: (project: string, markdown: string) => string | Promise<string>;
}

const REFERENCE = 'docs/reference.md';

export const TABLES: readonly GeneratedTable[] = [
  { section: 'config', file: 'README.md', script: 'config', content: () => configTable() },
  {
    section: 'config',
    file: 'README.zh-CN.md',
    script: 'config',
    content: () => configTable(inChinese(describeConfig()), COLUMNS_IN_CHINESE),
  },
  {
    section: 'mutants',
    file: 'docs/testing.md',
    script: 'mutants',
    content: (_, markdown) => documentedTable(MUTANTS, sectionOf(markdown, 'mutants')),
  },
  { section: 'error-codes', file: REFERENCE, script: 'reference', content: errorCodes },
  {
    section: 'store-error-classes',
    file: REFERENCE,
    script: 'reference',
    content: storeErrorClasses,
  },
  { section: 'events', file: REFERENCE, script: 'reference', content: events },
  { section: 'metrics', file: REFERENCE, script: 'reference', content: metrics },
  { section: 'service-metrics', file: REFERENCE, script: 'reference', content: serviceMetrics },
];
