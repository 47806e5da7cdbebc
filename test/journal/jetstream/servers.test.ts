import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import { isOlder } from '../../../src/journal/jetstream/server-versions.js';
import { until } from '../../../src/testing/until.js';
import { type ClusterOptions, NatsCluster, natsProgram } from '../../support/nats-cluster.js';
import { freshName, openReplicated } from './journals.js';

const BOUND = { boundMs: 60_000 };

async function startCluster(t: ExecutionContext, options: ClusterOptions): Promise<NatsCluster> {
  const cluster = await NatsCluster.start(options);
  t.teardown(() => cluster.destroy());
  return cluster;
}

test('versions are compared by their numbers; a candidate comes before its release', (t) => {
  for (const older of ['2.9.10', '2.10.26', '1.99.99', '2.10.27-RC.1', 'v2.9.25', 'unknown', ''])
    t.true(isOlder(older, '2.10.27'), older);
  for (const newer of ['2.10.27', 'v2.10.28', '2.11.0', '2.15.1', '3.0.0', '10.0.0'])
    t.false(isOlder(newer, '2.10.27'), newer);
});

test('a server that accepts two appends under one condition is refused, with its name, its version and what is needed', async (t) => {
  const cluster = await startCluster(t, { servers: 1, programs: [natsProgram('nats2.9')] });
  await t.throwsAsync(openReplicated(t, cluster, { replicas: 1 }), {
    code: 'JOURNAL_UNUSABLE',
    message: /server n0 has version 2\.9\.10: it must be 2\.10\.27 or newer/,
  });
});

test('one server of three that is too old is found, though another one was connected to', async (t) => {
  const [good, old] = [natsProgram(), natsProgram('nats2.9')];
  const cluster = await startCluster(t, { programs: [good, good, old] });
  await t.throwsAsync(openReplicated(t, cluster, { servers: cluster.servers.slice(0, 1) }), {
    code: 'JOURNAL_UNUSABLE',
    message: /server n2 has version 2\.9\.10/,
  });
});

test('a stream whose settings would lose reports is refused, with the setting', async (t) => {
  const cluster = await startCluster(t, { servers: 1 });
  const client = await cluster.client();
  t.teardown(() => client.close());
  const { streams } = await jetstreamManager(client);
  for (const [config, message] of [
    [{ max_age: 3600e9 }, /has max_age/],
    [{ max_msgs_per_subject: 10 }, /has max_msgs_per_subject/],
    [{ max_bytes: 1_000_000 }, /has discard old/],
    [{ storage: 'memory' as const }, /is kept in memory/],
    [{ max_msg_size: 1000 }, /has max_msg_size/],
    [{ deny_purge: true }, /has no_ack or deny_purge/],
  ] as const) {
    const name = freshName();
    await streams.add({ name: `lars-${name}-0`, subjects: [`lars.${name}.0.>`], ...config });
    const opening = openReplicated(t, cluster, { cluster: name, replicas: 1 });
    await t.throwsAsync(opening, { code: 'JOURNAL_UNUSABLE', message });
  }
  const other = freshName();
  await streams.add({ name: `lars-${other}-0`, subjects: [other] });
  await t.throwsAsync(openReplicated(t, cluster, { cluster: other, replicas: 1 }), {
    message: /does not take lars\./,
  });
  const name = freshName();
  await openReplicated(t, cluster, { cluster: name, replicas: 1 });
  await t.throwsAsync(openReplicated(t, cluster, { cluster: name, replicas: 3 }), {
    message: /has 1 replicas, 3 are wanted/,
  });
});

test('servers that cannot be reached, or too few of them, are said in time', async (t) => {
  const cluster = await startCluster(t, { servers: 3 });
  for (const index of [0, 1]) await cluster.kill9(index);
  const startedMs = performance.now();
  await t.throwsAsync(openReplicated(t, cluster, { openMs: 1000 }), {
    code: 'JOURNAL_UNUSABLE',
    message: /the journal of cluster lars cannot be opened/,
  });
  await cluster.kill9(2);
  await t.throwsAsync(openReplicated(t, cluster, { openMs: 1000 }), {
    code: 'JOURNAL_UNUSABLE',
    message: /no server of 127\.0\.0\.1:\d+,.* can be reached/,
  });
  t.true(performance.now() - startedMs < 40_000);
  // It is made when they are there.
  for (const index of [0, 1, 2]) cluster.start(index);
  await until(() => openReplicated(t, cluster, {}), { ...BOUND, what: 'the journal' });
});

test('names that cannot be a part of a subject are refused', async (t) => {
  const open = (options: object) =>
    openReplicated(t, { servers: ['127.0.0.1:1'] } as unknown as NatsCluster, options);
  for (const name of ['', 'a.b', 'a b', '*', 'ü', 'x'.repeat(49)]) {
    await t.throwsAsync(open({ cluster: name }), { code: 'CONFIG_INVALID', message: /^cluster\.name is / });
    await t.throwsAsync(open({ node: name }), { code: 'CONFIG_INVALID', message: /^cluster\.node is / });
  }
});

/** As where the packages are not installed. */
const HIDE = `export async function resolve(specifier, context, next) {
  if (!specifier.startsWith('@nats-io/')) return next(specifier, context);
  throw Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
const asModule = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

test('packages of NATS that are missing are named, with what installs them', async (t) => {
  const journal = new URL('../../../src/journal/jetstream/replicated-journal.js', import.meta.url).href;
  const hidden = asModule(
    `import { register } from 'node:module'; register(${JSON.stringify(asModule(HIDE))});`,
  );
  const source = `
    const { ReplicatedJournal } = await import(${JSON.stringify(journal)});
    const options = { servers: [], cluster: 'c', node: 'n', writers: 1, events: { emit() {} } };
    await ReplicatedJournal.open(options).catch(({ code, message }) => console.log(code + ': ' + message));`;
  const args = ['--import', hidden, '--input-type=module', '--eval', source];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  t.regex(stdout, /^CONFIG_INVALID: .*Cannot find package '@nats-io\/transport-node'/);
  t.regex(stdout, /npm install @nats-io\/transport-node@3 @nats-io\/jetstream@3$/m);
});
