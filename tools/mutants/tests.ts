import path from 'node:path';
import { runBounded } from './bounded.js';
import type { TestSelection } from './mutant.js';
import type { Workshop } from './workshop.js';

/** How long nothing may happen in the tests of one file. */
const QUIET_BOUND = '75s';
/** How long the tests of one file may take. */
const BOUND_MS = 150_000;

/** Tests that `npm test` does not run. */
const CONFIGS = { mysql: 'ava.mysql.config.js', nats: 'ava.cluster.config.js' } as const;

export interface Outcome {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Failures that belong to no test, such as the end of the process. */
  readonly otherFailures: readonly string[];
  readonly isTimedOut: boolean;
}

/** Runs the tests in the workshop, within bounds. `titles`: those there are when nothing is broken, if that is known. */
export async function runTests(
  workshop: Workshop,
  { file, titles: patterns = [], server }: TestSelection,
  signal: AbortSignal,
  titles?: readonly string[],
): Promise<Outcome> {
  const config = server === undefined ? [] : ['--config', CONFIGS[server]];
  const args = [
    ...config,
    '--tap',
    '--timeout',
    QUIET_BOUND,
    ...patterns.flatMap((pattern) => ['--match', pattern]),
  ];
  const { output, isTimedOut } = await runBounded(
    path.join(workshop.dir, 'node_modules/.bin/ava'),
    [...args, path.join('dist', `${file}.js`)],
    {
      cwd: workshop.dir,
      env: {
        ...process.env,
        TMPDIR: workshop.tempDir,
        ...(server === 'mysql' ? { LARS_TEST_SERVER: server } : {}),
      },
      boundMs: BOUND_MS,
      signal,
    },
  );
  const results = [...output.matchAll(/^(ok|not ok) \d+ - (.*)$/gm)].map(([, result, title = '']) => ({
    isPassed: result === 'ok',
    title: title.replaceAll('\\#', '#'),
  }));
  const isTest = (title: string) => titles?.includes(title) ?? true;
  const reported = new Set(results.map(({ title }) => title));
  const hung = isTimedOut ? (titles ?? []).filter((title) => !reported.has(title)) : [];
  const failures = results.filter(({ isPassed }) => !isPassed).map(({ title }) => title);
  return {
    passed: results.filter(({ isPassed }) => isPassed).map(({ title }) => title),
    failed: [...failures.filter(isTest), ...hung],
    otherFailures: failures.filter((title) => !isTest(title)),
    isTimedOut: isTimedOut || /Exited because no new tests completed/.test(output),
  };
}
