import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { describeConfig, loadConfig, maskSecrets, parseConfig } from '../src/config/index.js';
import { ReporterError } from '../src/model/errors.js';
import { tempDir } from './support/temp.js';

const ROOT = new URL('../../', import.meta.url);
const BASE = '/srv/lars';

/** The lines of the error that `parse` must throw. */
function problems(t: ExecutionContext, parse: () => unknown): string[] {
  const error = t.throws(parse, { instanceOf: ReporterError, code: 'CONFIG_INVALID' });
  return (error?.message ?? '').split('\n');
}

const parse = (input: unknown, env?: NodeJS.ProcessEnv) =>
  parseConfig(input, { baseDir: BASE, ...(env ? { env } : {}) });

test('an empty configuration has the documented defaults', (t) => {
  t.deepEqual(parse({}), {
    listen: {
      host: '0.0.0.0',
      port: 7779,
      maxConnections: 10_000,
      maxBodyBytes: 65_527,
      maxInflightBytes: 67_108_864,
      frameTimeoutMs: 30_000,
      maxBadFrames: 10,
      ...{ allow: [], deny: [], proxyFrom: [], verifyCaller: 'off', verifyExcept: [], perAddress: {} },
      tls: {
        ...{ clientAuth: 'none', allowNames: [], allowFingerprints: [] },
        ...{ handshakeTimeoutMs: 10_000, maxHandshakes: 64 },
      },
    },
    writers: { count: 4, maxBatchRows: 2000, rewriteMs: 400 },
    journal: { dir: '/srv/lars/data/journal', groupMs: 20, snapshotBytes: 1_048_576 },
    store: { url: 'embedded:/srv/lars/data/store', connectTimeoutMs: 5000, queryTimeoutMs: 10_000, tls: {} },
    admin: { host: '127.0.0.1', port: 7780, tls: {} },
    keeper: { enabled: true },
    shutdown: { drainMs: 20_000 },
    supervision: { maxRestarts: 10, periodMs: 60_000, backoffMs: 50, maxBackoffMs: 5000 },
    log: { level: 'info' },
    telemetry: { sampleRatio: 0.01, metricsIntervalS: 60 },
    view: {
      ...{ enabled: true, freshS: 60, holdS: 60, errorShare: 0.1, minCalls: 20 },
      ...{ hideS: 900, forgetS: 86_400, maxRows: 2_000_000 },
    },
    history: { enabled: true, dir: '/srv/lars/data/history', maxBytes: 1_073_741_824 },
    names: {},
  });
});

test('a parsed configuration is frozen and parses to itself, wherever it is parsed again', (t) => {
  const config = parse({ listen: { port: 1 }, store: { url: 'embedded:here' } });
  t.true(Object.isFrozen(config) && Object.values(config).every((section) => Object.isFrozen(section)));
  t.deepEqual(parseConfig(config, { baseDir: '/elsewhere' }), config);
});

test('the history is beside a journal that is called so, or in it; or where it is said to be', (t) => {
  const dir = (input: object) => parse(input).history.dir;
  t.is(dir({ journal: { dir: '/var/lib/lars/journal' } }), '/var/lib/lars/history');
  t.is(dir({ journal: { dir: '/var/lib/one' } }), '/var/lib/one/history');
  t.is(dir({ journal: { dir: '/var/lib/one' }, history: { dir: 'h' } }), '/srv/lars/h');
});

test('config.json of the package says what the defaults say', (t) => {
  const { config, file } = loadConfig({ env: {}, cwd: new URL('.', ROOT).pathname });
  t.is(file, new URL('config.json', ROOT).pathname);
  t.deepEqual(config, parseConfig({}, { baseDir: path.dirname(file ?? '') }));
});

test('every problem is named at once, one a line, with key, value and what is expected', (t) => {
  const lines = problems(t, () =>
    parse({
      listen: { port: 70_000, maxBodyBytes: 0, host: '10.0.0.1:80' },
      writers: { count: '4', maxBatchRows: 1.5 },
      log: { level: 'loud' },
      store: { url: 'redis://somewhere' },
      journal: { dir: '' },
      shutdown: { drainMs: null },
    }),
  );
  t.deepEqual(lines.sort(), [
    'journal.dir = "": expected the path of a folder',
    'listen.host = "10.0.0.1:80": expected an IP address or a host name, without a port',
    'listen.maxBodyBytes = 0: expected an integer from 1 to 65527',
    'listen.port = 70000: expected an integer from 0 to 65535',
    'log.level = "loud": expected one of trace, debug, info, warn, error, fatal, silent',
    'shutdown.drainMs = null: expected an integer from 0 to 86400000',
    'store.url = "redis:***": expected embedded:DIR or mysql://user:password@host:port/database',
    'writers.count = "4": expected an integer from 1 to 1024',
    'writers.maxBatchRows = 1.5: expected an integer from 1 to 10000',
  ]);
});

for (const { key, type } of describeConfig().filter(({ kind }) => kind === 'integer')) {
  test(`${key} takes its limits and nothing beyond`, (t) => {
    const [section = '', ...names] = key.split('.');
    const name = names.at(-1)!;
    const [, min, max] = /^integer (\d+)…(\d+)$/.exec(type) ?? [];
    // The longest pause may not be shorter than the first one.
    const others = name === 'maxBackoffMs' ? { backoffMs: 0 } : { maxBackoffMs: 86_400_000 };
    // A port with TLS needs what is shown on it.
    const shown = key === 'listen.tls.port' ? { cert: '/cert', key: '/key' } : {};
    const within = (value: unknown) =>
      names.reduceRight<unknown>(
        (inner, each) => ({ [each]: inner, ...(each === 'port' ? shown : {}) }),
        value,
      ) as object;
    const withValue = (value: number) => ({
      [section]: { ...(section === 'supervision' ? others : {}), ...within(value) },
    });
    t.notThrows(() => parse(withValue(Number(min))));
    t.notThrows(() => parse(withValue(Number(max))));
    for (const value of [Number(min) - 1, Number(max) + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const [line] = problems(t, () => parse(withValue(value)));
      t.is(line, `${key} = ${value}: expected an integer from ${min} to ${max}`);
    }
  });
}

test('an unknown key is an error that names the key meant', (t) => {
  const unknown = (input: unknown) => problems(t, () => parse(input));
  t.deepEqual(unknown({ listen: { maxConnection: 5 } }), [
    'listen.maxConnection: unknown key; did you mean listen.maxConnections?',
  ]);
  t.deepEqual(unknown({ lissten: {} }), ['lissten: unknown key; did you mean listen?']);
  t.deepEqual(unknown({ port: 1 }), ['port: unknown key; did you mean listen.port?']);
  t.deepEqual(unknown({ listen: { token: 'x' } }), ['listen.token: unknown key; did you mean admin.token?']);
  t.deepEqual(unknown({ 'listen.port': 1 }), [
    'listen.port: unknown key; write it nested: { "listen": { "port": … } }',
  ]);
  t.deepEqual(unknown({ writers: { zzz: 1 } }), [
    'writers.zzz: unknown key; known are writers.count, writers.maxBatchRows, writers.rewriteMs, writers.maxPendingKeys',
  ]);
  t.deepEqual(unknown(JSON.parse('{ "__proto__": { "port": 1 } }')), [
    '__proto__: unknown key; known are listen, writers, journal, store, view, history, names, admin, keeper, shutdown, supervision, log, telemetry',
  ]);
});

test('a section or a whole configuration of the wrong type is an error', (t) => {
  t.deepEqual(
    problems(t, () => parse({ listen: 5 })),
    ['listen = (a number): expected an object of its keys'],
  );
  for (const [input, kind] of [
    [[], 'a list'],
    [null, 'null'],
    ['{}', 'text'],
  ] as const) {
    t.deepEqual(
      problems(t, () => parse(input)),
      [`the configuration is ${kind}: expected an object, for example {}`],
    );
  }
});

test('an admin address that others reach needs a token', (t) => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) {
    t.notThrows(() => parse({ admin: { host } }));
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.example.org']) {
    t.notThrows(() => parse({ admin: { host, token: 'secret' } }));
    t.deepEqual(
      problems(t, () => parse({ admin: { host } })),
      [
        `admin.token = (not set): required because other machines can reach admin.host ${host}: ` +
          'set a secret, or bind 127.0.0.1',
      ],
    );
  }
});

test('the longest pause between restarts is not shorter than the first', (t) => {
  t.deepEqual(
    problems(t, () => parse({ supervision: { backoffMs: 100, maxBackoffMs: 99 } })),
    ['supervision.maxBackoffMs = 99: expected at least supervision.backoffMs, which is 100'],
  );
});

test('store.url: what the store takes is taken, and what it refuses is refused with its words', (t) => {
  const url = 'mysql://lars:p%40%2F%3A%25@[::1]:3306/lars';
  t.is(parse({ store: { url } }).store.url, url);
  t.deepEqual(
    problems(t, () => parse({ store: { url: 'mysql://lars:hunter2@db' } })),
    ['store.url = "mysql:***": has no database; expected mysql://user:password@host:port/database'],
  );
});

test('telemetry.otlpUrl is the address of a collector, without a secret; one that is there is not printed', (t) => {
  for (const otlpUrl of ['http://127.0.0.1:4318', 'https://otel.example/prefix/'])
    t.is(parse({ telemetry: { otlpUrl } }).telemetry.otlpUrl, otlpUrl);
  for (const [otlpUrl, line] of [
    ['127.0.0.1:4318', '"127.0.0.1:4318": expected an address such as http://127.0.0.1:4318'],
    ['grpc://collector:4317', '"grpc://collector:4317": expected an address such as http://127.0.0.1:4318'],
    [
      'http://lars:hunter2@collector:4318',
      '"http://***@collector:4318": holds a secret: give it in OTEL_EXPORTER_OTLP_HEADERS of the environment',
    ],
    [
      'http://c:4318/?a=1',
      '"http://c:4318/?a=1": holds more than an address: leave out what comes from ? or # on',
    ],
    [
      'http://c/v1/traces',
      '"http://c/v1/traces": names one signal: leave out /v1/…, which is added for each',
    ],
  ] as const)
    t.deepEqual(
      problems(t, () => parse({ telemetry: { otlpUrl } })),
      [`telemetry.otlpUrl = ${line}`],
    );
});

test('environment variables override the input, key by key', (t) => {
  const config = parse(
    { listen: { port: 1, maxConnections: 2 } },
    {
      LARS_LISTEN_MAX_CONNECTIONS: '77',
      LARS_WRITERS_MAX_BATCH_ROWS: '5',
      LARS_STORE_URL: 'mysql://u:p@h/d',
      LARS_ADMIN_TOKEN: '12345',
      LARS_LISTEN_HOST: '',
    },
  );
  t.is(config.listen.port, 1);
  t.is(config.listen.maxConnections, 77);
  t.is(config.writers.maxBatchRows, 5);
  t.is(config.store.url, 'mysql://u:p@h/d');
  t.is(config.admin.token, '12345');
  t.is(config.listen.host, '0.0.0.0', 'an empty variable is as none');
});

test('the variable of each key is its path, split at capitals', (t) => {
  const names = new Map(describeConfig().map(({ key, env }) => [key, env]));
  t.is(names.get('store.url'), 'LARS_STORE_URL');
  t.is(names.get('listen.maxConnections'), 'LARS_LISTEN_MAX_CONNECTIONS');
  t.is(names.get('shutdown.drainMs'), 'LARS_SHUTDOWN_DRAIN_MS');
});

test('numbers in variables are digits and nothing else', (t) => {
  for (const text of ['80x', '8 0', '8e3', '0x50', '1.0', '+80', '080', '-0', 'NaN', 'Infinity', '-1']) {
    const [line] = problems(t, () => parse({}, { LARS_LISTEN_PORT: text }));
    t.regex(line!, /^listen\.port = .* \(from LARS_LISTEN_PORT\): expected an integer from 0 to 65535$/);
    t.true(line!.includes(text));
  }
  t.is(parse({}, { LARS_LISTEN_PORT: '0' }).listen.port, 0);
});

test('a variable that Kubernetes made is explained', (t) => {
  const [line] = problems(t, () => parse({}, { LARS_ADMIN_PORT: 'tcp://10.0.0.1:7780' }));
  t.regex(line!, /^admin\.port = "tcp:\/\/10\.0\.0\.1:7780" \(from LARS_ADMIN_PORT\): .*enableServiceLinks/);
});

test('variables that only resemble ours are warnings, unrelated ones nothing', (t) => {
  const { warnings } = loadConfig({
    cwd: tempDir(t),
    env: {
      LARS_LISTEN_MAXCONNECTIONS: '5',
      LARS_LOGLEVEL: 'debug',
      LARS_STORE_PASSWORD: 'hunter2',
      LARS_HOME: '/opt/lars',
      LARS_REPORTER_SERVICE_HOST: '10.0.0.1',
      PATH: '/bin',
    },
  });
  t.deepEqual(warnings, [
    'LARS_LISTEN_MAXCONNECTIONS is not a setting and has no effect; did you mean LARS_LISTEN_MAX_CONNECTIONS?',
    'LARS_LOGLEVEL is not a setting and has no effect; did you mean LARS_LOG_LEVEL?',
    'LARS_STORE_PASSWORD is not a setting and has no effect',
  ]);
});

test('without a file, everything is relative to the current folder', (t) => {
  const cwd = tempDir(t);
  const { config, file } = loadConfig({ cwd, env: { LARS_STORE_URL: 'embedded:../there' } });
  t.is(file, undefined);
  t.is(config.journal.dir, path.join(cwd, 'data/journal'));
  t.is(config.store.url, `embedded:${path.join(path.dirname(cwd), 'there')}`);
});

test('with a file, everything is relative to its folder; absolute paths stay', (t) => {
  const cwd = tempDir(t);
  mkdirSync(path.join(cwd, 'etc'));
  writeFileSync(path.join(cwd, 'etc/lars.json'), '\uFEFF{ "journal": { "dir": "j" } }');
  const { config, file } = loadConfig({
    file: 'etc/lars.json',
    cwd,
    env: { LARS_STORE_URL: 'embedded:/var/lib/lars' },
  });
  t.is(file, path.join(cwd, 'etc/lars.json'));
  t.is(config.journal.dir, path.join(cwd, 'etc/j'));
  t.is(config.store.url, 'embedded:/var/lib/lars');
});

test('./config.json is read when it is there', (t) => {
  const cwd = tempDir(t);
  writeFileSync(path.join(cwd, 'config.json'), '{ "listen": { "port": 4711 } }');
  t.is(loadConfig({ cwd, env: {} }).config.listen.port, 4711);
});

test('a named file that is missing or unreadable is an error', (t) => {
  const cwd = tempDir(t);
  const load = (file: string) => problems(t, () => loadConfig({ file, cwd, env: {} }));
  t.deepEqual(load('none.json'), [
    `configuration file ${cwd}/none.json does not exist; name an existing file with --config, ` +
      'or leave it out for the defaults',
  ]);
  t.deepEqual(load('.'), [
    `configuration file ${cwd} cannot be read (EISDIR); expected a readable JSON file`,
  ]);
});

const BROKEN: readonly (readonly [text: string, where: string])[] = [
  ['', 'line 1, column 1: expected a value'],
  ['{\n  "listen": {},\n}', 'line 3, column 1: expected a name in double quotes'],
  ['{ "a": "hunter2" "b": 1 }', 'line 1, column 18: expected a comma or }'],
  ['{ "a": hunter2 }', 'line 1, column 8: expected a value'],
  ['{ "a": "hunter2\n" }', 'line 1, column 8: expected a text closed on its line, with valid escapes'],
  ["{ 'a': 1 }", 'line 1, column 3: expected a name in double quotes or }'],
  ['{ "a" 1 }', 'line 1, column 7: expected a colon'],
  ['{ "a": [1, 2', 'line 1, column 13: expected a comma or ]'],
  ['{ "a": [1, ] }', 'line 1, column 12: expected a value'],
  ['{ "a": 01 }', 'line 1, column 9: expected a comma or }'],
  ['{ "a": True }', 'line 1, column 8: expected a value'],
  ['{}\r\n// comment', 'line 2, column 1: expected nothing more'],
];

for (const [text, where] of BROKEN) {
  test(`broken JSON is located, not quoted: ${JSON.stringify(text)}`, (t) => {
    const cwd = tempDir(t);
    const file = path.join(cwd, 'config.json');
    writeFileSync(file, text);
    t.deepEqual(
      problems(t, () => loadConfig({ cwd, env: {} })),
      [`configuration file ${file} is not valid JSON at ${where}`],
    );
  });
}

test('what is located as broken is what JSON.parse refuses', (t) => {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'config.json');
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.string({ maxLength: 2 }), (json, at, patch) => {
      const cut = at % (json.length + 1);
      const text = json.slice(0, cut) + patch + json.slice(cut + 1);
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      writeFileSync(file, text);
      try {
        loadConfig({ cwd, env: {} });
      } catch (error) {
        const { message } = error as Error;
        return isJson ? !message.includes('not valid JSON') : /not valid JSON at line \d+/.test(message);
      }
      return isJson;
    }),
  );
  t.pass();
});

test('printing masks the token and the password', (t) => {
  const config = parse({ admin: { token: 'hunter2' }, store: { url: 'mysql://lars:hunter2@db:3306/lars' } });
  const masked = maskSecrets(config);
  t.is(masked.admin.token, '***');
  t.is(masked.store.url, 'mysql://lars:***@db:3306/lars');
  t.is(config.admin.token, 'hunter2');
  t.deepEqual(maskSecrets(parse({})), parse({}));
});

test('no secret appears in a printed configuration or in an error, wherever it was written', (t) => {
  // Marked, so that it cannot be a part of the text around it by chance.
  const secret = fc
    .string({ minLength: 0, maxLength: 12, unit: 'grapheme-ascii' })
    .map((text) => `Zq7${text}`);
  const place = fc.constantFrom<(secret: string) => unknown>(
    (text) => ({ admin: { token: text } }),
    (text) => ({ admin: { token: [text] } }),
    (text) => ({ admin: text }),
    (text) => ({ admin: { tokn: text } }),
    (text) => ({ store: { url: `mysql://lars:${text}@db/lars` } }),
    (text) => ({ store: { url: `mysql://lars:${encodeURIComponent(text)}@db/lars` } }),
    (text) => ({ store: { url: `mysql://lars:${encodeURIComponent(text)}@db` } }),
    (text) => ({ store: { url: `mysql:/lars:${text}@db/lars` } }),
    (text) => ({ store: { url: { password: text } } }),
    (text) => ({ store: { password: text } }),
    (text) => ({ store: `mysql://lars:${text}@db/lars` }),
    (text) => `mysql://lars:${text}@db/lars`,
  );
  fc.assert(
    fc.property(secret, place, (text, wrap) => {
      let output: string;
      try {
        output = JSON.stringify(maskSecrets(parse(wrap(text))));
      } catch (error) {
        output = String((error as Error).stack);
      }
      return !output.includes('Zq7');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('every key is described in one sentence that a table can hold', (t) => {
  for (const { key, description } of describeConfig()) {
    t.regex(description, /^[A-Z].*\.$/, key);
    t.false(description.includes('|'), key);
  }
});
