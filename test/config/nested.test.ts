import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { readOverrides } from '../../src/config/environment.js';
import { configTable, keysOf } from '../../src/config/keys.js';
import { parseWith } from '../../src/config/parse.js';
import { maskWith } from '../../src/config/secrets.js';
import { ReporterError } from '../../src/model/errors.js';

const port = z.int().min(1).max(65_535);

/** A configuration of every kind of key, at every depth. */
const SCHEMA = z.strictObject({
  workers: z.int().min(1).max(64).default(1).describe('Threads.'),
  names: z.record(z.string().regex(/^\d+$/), z.string().min(1)).optional().describe('Names of services.'),
  listen: z
    .strictObject({
      allow: z
        .array(
          z
            .string()
            .regex(/^[\d.]+$/)
            .meta({ expected: 'an address' }),
        )
        .default([])
        .describe('Who may.'),
      ports: z.array(port).optional().describe('Ports.'),
      tls: z
        .strictObject({
          port: port.describe('Port.'),
          key: z.string().describe('Key file.').meta({ place: 'path' }),
          deep: z
            .strictObject({
              secret: z.string().optional().describe('Secret.').meta({ secret: true }),
              backup: z.string().optional().describe('Store.').meta({ place: 'store' }),
            })
            .prefault({}),
        })
        .optional(),
      perAddress: z
        .strictObject({
          keys: z.int().min(1).max(1000).default(7).describe('Keys.'),
          share: z.number().min(0).max(1).default(0.1).describe('Share.'),
          on: z.boolean().default(true).describe('Whether.'),
        })
        .prefault({}),
    })
    .prefault({}),
});

const parse = (input: unknown, env: NodeJS.ProcessEnv = {}) =>
  parseWith(SCHEMA, input, '/srv', readOverrides(SCHEMA, env));

function problems(t: ExecutionContext, input: unknown, env?: NodeJS.ProcessEnv): string[] {
  const error = t.throws(() => parse(input, env), { instanceOf: ReporterError, code: 'CONFIG_INVALID' });
  return error.message.split('\n');
}

test('keys are known at any depth, each with the variable of its path', (t) => {
  t.deepEqual(
    keysOf(SCHEMA).map(({ key, env, type }) => `${key} ${env} ${type}`),
    [
      'workers LARS_WORKERS integer 1…64',
      'names LARS_NAMES record',
      'listen.allow LARS_LISTEN_ALLOW list',
      'listen.ports LARS_LISTEN_PORTS list',
      'listen.tls.port LARS_LISTEN_TLS_PORT integer 1…65535',
      'listen.tls.key LARS_LISTEN_TLS_KEY text',
      'listen.tls.deep.secret LARS_LISTEN_TLS_DEEP_SECRET text',
      'listen.tls.deep.backup LARS_LISTEN_TLS_DEEP_BACKUP text',
      'listen.perAddress.keys LARS_LISTEN_PER_ADDRESS_KEYS integer 1…1000',
      'listen.perAddress.share LARS_LISTEN_PER_ADDRESS_SHARE number 0…1',
      'listen.perAddress.on LARS_LISTEN_PER_ADDRESS_ON true, false',
    ],
  );
  t.true(
    configTable(keysOf(SCHEMA)).includes('| `listen.allow` | `LARS_LISTEN_ALLOW` | list | `[]` | Who may. |'),
  );
});

test('two keys of one variable are noticed by whoever adds the second', (t) => {
  const text = z.string().optional();
  const twice = z.strictObject({ a: z.strictObject({ bC: text, b: z.strictObject({ c: text }) }) });
  t.throws(() => keysOf(twice), { message: 'a.bC and a.b.c are both LARS_A_B_C in the environment' });
});

test('the environment overrides keys at any depth, also in sections that are not there', (t) => {
  const config = parse(
    { listen: { allow: ['10.0.0.1'], perAddress: { keys: 3 } } },
    {
      LARS_LISTEN_TLS_PORT: '443',
      LARS_LISTEN_TLS_KEY: 'tls/key.pem',
      LARS_LISTEN_TLS_DEEP_BACKUP: 'embedded:there',
      LARS_LISTEN_PER_ADDRESS_SHARE: '0.25',
      LARS_LISTEN_PER_ADDRESS_ON: 'false',
      LARS_LISTEN_ALLOW: '10.0.0.2, 10.0.0.3',
      LARS_LISTEN_PORTS: '1,2',
      LARS_NAMES: '{"1": "one", "2": "two, too"}',
      LARS_WORKERS: '4',
    },
  );
  t.deepEqual(config, {
    workers: 4,
    names: { 1: 'one', 2: 'two, too' },
    listen: {
      allow: ['10.0.0.2', '10.0.0.3'],
      ports: [1, 2],
      // Paths and addresses are resolved, however deep.
      tls: { port: 443, key: '/srv/tls/key.pem', deep: { backup: 'embedded:/srv/there' } },
      perAddress: { keys: 3, share: 0.25, on: false },
    },
  });
});

test('a configuration is frozen as a whole', (t) => {
  const { listen, names } = parse({ names: { 1: 'one' }, listen: { tls: { port: 1, key: 'k' } } });
  for (const part of [names, listen, listen.allow, listen.tls, listen.tls?.deep])
    t.true(Object.isFrozen(part));
});

test('what is wrong is named where it stands, however deep', (t) => {
  t.deepEqual(
    problems(
      t,
      {
        names: { 1: 'one', x: 'y', 2: '' },
        listen: {
          allow: ['10.0.0.1', 'host'],
          tls: { port: 0, key: 'k' },
          perAddress: { share: 2, on: 'yes' },
        },
      },
      { LARS_LISTEN_PORTS: '80,http,' },
    ).sort(),
    [
      'listen.allow[1] = "host": expected an address',
      'listen.perAddress.on = "yes": expected true or false',
      'listen.perAddress.share = 2: expected a number from 0 to 1',
      'listen.ports[1] = "http" (from LARS_LISTEN_PORTS): expected an integer from 1 to 65535',
      'listen.ports[2] = "" (from LARS_LISTEN_PORTS): expected an integer from 1 to 65535',
      'listen.tls.port = 0: expected an integer from 1 to 65535',
      'names["2"] = "": expected a text',
      'names["x"] = "y": expected a text',
    ],
  );
  t.deepEqual(problems(t, { listen: { tls: 5 } }), [
    'listen.tls = (a number): expected an object of its keys',
  ]);
  for (const text of ['one', '{"1": "one", "1": "two"}', '["one"]']) {
    const [line] = problems(t, {}, { LARS_NAMES: text });
    t.true(line!.includes('(from LARS_NAMES): expected an object, of which each value is a text'), line);
  }
  const [switched] = problems(t, {}, { LARS_LISTEN_PER_ADDRESS_ON: '1' });
  t.is(switched, 'listen.perAddress.on = "1" (from LARS_LISTEN_PER_ADDRESS_ON): expected true or false');
});

test('an unknown key names the one that was meant, however deep', (t) => {
  const unknown = (input: unknown) => problems(t, input);
  t.deepEqual(unknown({ listen: { perAddress: { key: 1 } } }), [
    'listen.perAddress.key: unknown key; did you mean listen.perAddress.keys?',
  ]);
  t.deepEqual(unknown({ listen: { perAdress: {} } }), [
    'listen.perAdress: unknown key; did you mean listen.perAddress?',
  ]);
  t.deepEqual(unknown({ share: 1 }), ['share: unknown key; did you mean listen.perAddress.share?']);
  t.deepEqual(unknown({ listen: { 'tls.port': 1 } }), [
    'listen.tls.port: unknown key; write it nested: { "tls": { "port": … } }',
  ]);
  t.deepEqual(unknown({ listen: { perAddress: { zzzzz: 1 } } }), [
    'listen.perAddress.zzzzz: unknown key; known are listen.perAddress.keys, listen.perAddress.share, listen.perAddress.on',
  ]);
});

test('variables that only resemble a deep key are warnings', (t) => {
  t.deepEqual(readOverrides(SCHEMA, { LARS_LISTEN_PERADDRESS_KEYS: '1' }).warnings, [
    'LARS_LISTEN_PERADDRESS_KEYS is not a setting and has no effect; did you mean LARS_LISTEN_PER_ADDRESS_KEYS?',
  ]);
});

test('secrets are masked at any depth, in what is printed and in errors', (t) => {
  const deep = { secret: 'hunter2', backup: 'mysql://lars:hunter2@db/lars' };
  const config = parse({ listen: { tls: { port: 1, key: 'k', deep } } });
  t.deepEqual(maskWith(SCHEMA, config).listen.tls?.deep, {
    secret: '***',
    backup: 'mysql://lars:***@db:3306/lars',
  });
  t.is(config.listen.tls?.deep.secret, 'hunter2');
  const lines = problems(t, {
    listen: { tls: { port: 1, key: 'k', deep: { secret: ['hunter2'], secrets: 1 } } },
  });
  t.is(lines.length, 2);
  t.false(lines.join().includes('hunter2'));
});
