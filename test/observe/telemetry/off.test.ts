import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import { type ReporterEvent, startReporter } from '../../../src/index.js';
import { MemoryStore, numberedReport, until } from '../../../src/testing/index.js';
import { runCli } from '../../../tools/shared/process.js';
import { OtlpReceiver } from '../../support/otlp-receiver.js';
import { tempDir } from '../../support/temp.js';

/** Files of OpenTelemetry that this process has loaded: its packages are CommonJS. prom-client loads `api` for itself. */
const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((file) =>
    /\/@opentelemetry\/(?!api\/)/.test(file),
  );

async function store(t: ExecutionContext, otlpUrl?: string): Promise<ReporterEvent[]> {
  const seen: ReporterEvent[] = [];
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
      telemetry: { otlpUrl, sampleRatio: 1 },
    },
    { store: new MemoryStore(), onEvent: (event) => void seen.push(event) },
  );
  t.teardown(() => reporter.stop());
  await reporter.report(numberedReport(1, 1, 5, 1));
  await until(() => reporter.ledger().pending === 0, { boundMs: 20_000, what: 'rows to be stored' });
  await reporter.stop();
  return seen;
}

test.serial('off, nothing of OpenTelemetry is loaded, no batch is followed and nobody listens', async (t) => {
  const seen = await store(t);
  t.deepEqual(loaded(), []);
  t.true(seen.some((event) => event.type === 'statement-flushed'));
  for (const event of seen) {
    t.not(event.type, 'batch-stored');
    if (event.type === 'batch-journaled') t.false(event.isFollowed);
    if (event.type === 'statement-flushed') t.false('batches' in event);
  }
});

test.serial('on, it is loaded: the test before would see it', async (t) => {
  const seen = await store(t, (await OtlpReceiver.start(t)).url);
  t.true(loaded().length > 0);
  t.true(seen.some((event) => event.type === 'batch-stored'));
});

/** As where the packages are not installed. */
const HIDE = `export async function resolve(specifier, context, next) {
  if (specifier.startsWith('@opentelemetry/')) {
    const error = new Error("Cannot find package '" + specifier + "'");
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
  }
  return next(specifier, context);
}`;
const asModule = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
const HIDDEN = {
  NODE_OPTIONS: `--import=${asModule(`import { register } from 'node:module'; register(${JSON.stringify(asModule(HIDE))});`)}`,
};
const ON = { LARS_TELEMETRY_OTLP_URL: 'http://127.0.0.1:9' };

for (const command of ['check', 'serve'])
  test(`${command}: packages that are missing are named, with what installs them, exit code 2`, async (t) => {
    const cwd = tempDir(t);
    const ports = { LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0', LARS_LOG_LEVEL: 'error' };
    const { code, stderr } = await runCli([command], { cwd, env: { ...HIDDEN, ...ON, ...ports } });
    t.is(code, 2);
    t.regex(stderr, /telemetry\.otlpUrl is set.*Cannot find package '@opentelemetry\/api'/);
    t.regex(
      stderr,
      /npm install @opentelemetry\/api@1\.\d+ .*@opentelemetry\/exporter-trace-otlp-http@0\.\d+/,
    );
  });

test('check: packages that are missing are nobody’s business while it is off', async (t) => {
  const { code } = await runCli(['check'], { cwd: tempDir(t), env: HIDDEN });
  t.is(code, 0);
});

test('check: packages that are there are fine', async (t) => {
  const { code } = await runCli(['check'], { cwd: tempDir(t), env: ON });
  t.is(code, 0);
});
