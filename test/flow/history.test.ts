import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport, until } from '../../src/testing/index.js';
import type { ServicesAnswer } from '../../src/view/shapes.js';
import { askJson } from '../admin/ask.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };

interface Problems {
  readonly problems: readonly { readonly code: string; readonly text: string }[];
}

test('a history that cannot be written is a problem that is told, and stops nothing else; it goes on by itself', async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, 'history'), 'in the way');
  const store = new MemoryStore();
  const reporter = await startReporter(
    {
      ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } },
      ...{ journal: { dir: path.join(dir, 'journal') } },
    },
    { store },
  );
  t.teardown(() => reporter.stop());
  const problems = async () => {
    const { body } = await askJson<Problems>(t, reporter.admin!, '/api/reporter');
    return body.problems.filter(({ code }) => code === 'history-stopped');
  };
  const [told] = await until(async () => (await problems()).length > 0 && problems(), {
    ...BOUND,
    what: 'the problem to be told',
  });
  t.regex(told!.text, /is not a folder/);
  await reporter.report(numberedReport(1, 1, 6, 1));
  await until(() => store.rows.size === 6, { ...BOUND, what: 'the rows to be stored' });
  const services = async () => (await askJson<ServicesAnswer>(t, reporter.admin!, '/api/services')).body;
  await until(async () => (await services()).total === 1, { ...BOUND, what: 'the service to be shown' });
  rmSync(path.join(dir, 'history'));
  await until(async () => (await problems()).length === 0, { ...BOUND, what: 'it to go on' });
  t.is(reporter.status().view.history.state, 'ok');
  t.true(existsSync(path.join(dir, 'history', 'data.mdb')));
});

test('a history that is switched off makes no folder', async (t) => {
  const dir = tempDir(t);
  const reporter = await startReporter(
    {
      ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } },
      ...{ journal: { dir: path.join(dir, 'journal') }, history: { enabled: false } },
    },
    { store: new MemoryStore() },
  );
  t.teardown(() => reporter.stop());
  await until(() => reporter.status().view.state === 'live', { ...BOUND, what: 'the view' });
  t.is(reporter.status().view.history.state, 'off');
  t.false(existsSync(path.join(dir, 'history')));
  const { status } = await askJson<object>(t, reporter.admin!, '/api/history?modid=1&cmdid=2');
  t.is(status, 404);
});
