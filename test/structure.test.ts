import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { circlesOf, files, type Import, imports, importsIn, PROJECT } from './support/sources.js';

/**
 * What is known to be wrong, and is to be mended. An entry that is wrong no longer fails its test: remove it then.
 * Nothing is added here.
 */
const TO_BE_MENDED = {
  circles: [],
  names: [],
  engines: [],
};

const internal = imports.filter(({ ours }) => ours);
const ofSrc = internal.filter(({ file }) => file.startsWith('src/'));

const shown = ({ file, target }: Import) => `${file} imports ${target}`;

/** Nothing is wrong but what is known to be. `advice`: what to do when something is, for who meets it first here. */
function expectNone(
  t: ExecutionContext,
  advice: string,
  wrong: readonly string[],
  known: readonly string[] = [],
): void {
  const found = [...wrong].sort();
  t.deepEqual(found, [...known].sort(), `${found.join('; ') || 'nothing is wrong any more'}: ${advice}`);
}

/** The folder of a file below its tree; a file beside the folders is a room of its own. */
function roomOf(file: string): string {
  const [, room = ''] = file.split('/');
  return room;
}

const treeOf = (file: string) => file.slice(0, file.indexOf('/'));

const ANY = 'any';

/** Which rooms of `src/` each room may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[] | typeof ANY>> = {
  model: [],
  wire: ['model'],
  // How agents behave, on a clock of their own; knows nothing of the service.
  simulation: ['model'],
  runtime: ['model'],
  // The protocol of several nodes: no clock, no socket, no chance, nothing but what is handed in.
  cluster: [],
  // Holds ports and connections for a process that reads; knows nothing of what they carry.
  keeper: ['model'],
  lmdb: ['model'],
  journal: ['model', 'lmdb', 'observe'],
  store: ['model', 'lmdb'],
  config: ['model', 'store'],
  partition: ['model', 'journal'],
  observe: ['model'],
  // What is kept of what the view sees; knows nothing of the view.
  history: ['model', 'lmdb'],
  // Computed from rows and events that are handed in; never asks a stage. Its thread hands on to the history.
  view: ['model', 'observe', 'history'],
  // Runs in browsers: of the others it knows the shapes of their answers, and nothing that Node has.
  page: ['model', 'view'],
  routing: ['model', 'partition', 'runtime', 'observe'],
  writer: ['model', 'partition', 'routing', 'journal', 'store', 'observe', 'runtime'],
  intake: ['model', 'wire', 'keeper', 'partition', 'routing', 'observe', 'runtime'],
  client: ['model', 'wire'],
  // Status, events, views and the read side of the store; never actors.
  admin: ['model', 'store', 'observe', 'view'],
  node: ANY,
  'reporter.ts': ANY,
  testing: ANY,
  cli: ANY,
  'index.ts': ANY,
};

/** Rooms that stand on everything and that nothing below may know. */
const TOP = ['node', 'reporter.ts', 'index.ts', 'cli', 'testing'];

/** Which rooms of `tools/` each room may import, besides itself. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  bench: ['shared'],
  chaos: ['shared'],
  fuzz: ['shared'],
  mutants: ['shared'],
  schedules: ['shared'],
  // The table of mutants is one of the tables.
  docs: ['shared', 'mutants'],
  page: [],
  demo: ['shared'],
};

test('every import is seen by these tests', (t) => {
  // One of each kind, so that a change of style cannot blind them.
  for (const [file, target, typeOnly] of [
    ['src/runtime/actors.ts', 'nact', false],
    ['src/wire/messages.ts', 'protobufjs', false],
    ['src/wire/messages.ts', 'src/model/row.ts', false],
    ['src/index.ts', 'src/model/errors.ts', false],
    ['src/cli/log.ts', 'pino-pretty', false],
    ['src/cli/simulate/progress.ts', 'src/cli/simulate/swarm.ts', true],
    ['tools/bench/case.ts', 'tools/bench/processes/load.ts', true],
    ['tools/bench/run.ts', 'tools/shared/tool.ts', false],
    ['test/mutants.test.ts', 'tools/mutants/list.ts', false],
    ['examples/restarts.ts', 'lars-reporter/testing', false],
  ] as const)
    t.true(
      imports.some((one) => one.file === file && one.target === target && one.typeOnly === typeOnly),
      `${file} → ${target}`,
    );
  for (const { file, target } of internal) t.true(files.includes(target), `${file} imports ${target}`);
});

/** Apart from its parenthesis, for these tests read this file, too. */
const CALL = 'import';

test('an import is told from an import of types, over several lines, too', (t) => {
  const found = importsIn(
    'src/a/b.ts',
    [
      "import type { A } from './a.js';",
      "import {\n  type B,\n  type C,\n} from '../b.js';",
      "import { type D, e } from './d.js';",
      "export { f } from './f.js';",
      "// import { g } from './g.js';",
      `const h = await ${CALL}('./h.js');`,
    ].join('\n'),
  );
  t.deepEqual(
    found.map(({ target, typeOnly }) => [target, typeOnly]),
    [
      ['src/a/a.ts', true],
      ['src/b.ts', true],
      ['src/a/d.ts', false],
      ['src/a/f.ts', false],
      ['src/a/h.ts', false],
    ],
  );
});

test('each room imports only the rooms below it', (t) => {
  const unknown = files.filter((file) => file.startsWith('src/') && !(roomOf(file) in ALLOWED)).map(roomOf);
  expectNone(t, 'give a new room its place in ALLOWED of this test, and in docs/architecture.md', [
    ...new Set(unknown),
  ]);
  const wrong = ofSrc.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    const allowed = ALLOWED[from]!;
    return from !== to && allowed !== ANY && !allowed.includes(to);
  });
  expectNone(
    t,
    'ALLOWED of this test has the rooms that each may import; hand in what is needed, or move it to a room below both',
    wrong.map(shown),
  );
});

test('nothing stands on the reporter but the ways in', (t) => {
  const wrong = ofSrc.filter(
    ({ file, target }) => TOP.includes(roomOf(target)) && !TOP.includes(roomOf(file)),
  );
  expectNone(t, `nothing but ${TOP.join(', ')} may import one of these`, wrong.map(shown));
});

test('the page takes from the others nothing that needs Node', (t) => {
  const taken = ofSrc.filter(({ file, target }) => roomOf(file) === 'page' && roomOf(target) !== 'page');
  const advice = 'the page runs in a browser: take types from src/view, values from src/view/shapes.ts alone';
  expectNone(
    t,
    advice,
    taken.filter(({ typeOnly, target }) => !typeOnly && !target.endsWith('/shapes.ts')).map(shown),
  );
  const node = imports.filter(
    ({ file, target }) => file.startsWith('src/page/') && target.startsWith('node:'),
  );
  expectNone(t, advice, node.map(shown));
  const reached = ofSrc.filter(({ file }) => file === 'src/view/shapes.ts').map(({ target }) => target);
  expectNone(
    t,
    advice,
    reached.filter((target) => target !== 'src/model/view-status.ts'),
  );
});

test('the service knows nothing of the tools, the tools nothing of the tests', (t) => {
  const below: Readonly<Record<string, readonly string[]>> = {
    src: ['src'],
    tools: ['src', 'tools'],
    // They import the package by its name, as its users do.
    examples: ['examples'],
    test: ['src', 'tools', 'test'],
  };
  const wrong = internal.filter(({ file, target }) => !below[treeOf(file)]!.includes(treeOf(target)));
  const advice = 'src imports src only, tools no tests, examples the package by its name';
  expectNone(t, advice, wrong.map(shown));
});

test('tools know each other only where one is made of another', (t) => {
  const wrong = internal.filter(
    ({ file, target }) =>
      treeOf(file) === 'tools' &&
      treeOf(target) === 'tools' &&
      roomOf(file) !== roomOf(target) &&
      // A new room knows `shared` alone, until TOOLS says more.
      !(TOOLS[roomOf(file)] ?? ['shared']).includes(roomOf(target)),
  );
  expectNone(t, 'move what both need to tools/shared', wrong.map(shown));
});

/** Behind a contract: folders of engines, and who may import them besides themselves. */
const ENGINES: readonly (readonly [folder: RegExp, users: RegExp])[] = [
  [/^src\/journal\/[\w-]+\//, /^src\/journal\/open\.ts$/],
  [/^src\/store\/[\w-]+\//, /^src\/store\/[\w-]+\.ts$/],
];

test('engines are known only behind their contract, and not to each other', (t) => {
  const wrong = ofSrc.filter(({ file, target }) =>
    ENGINES.some(([folder, users]) => {
      const [engine] = folder.exec(target) ?? [];
      return engine !== undefined && !file.startsWith(engine) && !users.test(file);
    }),
  );
  expectNone(
    t,
    'use the contract.ts beside the folder; who chooses an engine is open.ts',
    // The test kit and the tools may look behind it.
    wrong.filter(({ file }) => !file.startsWith('src/testing/')).map(shown),
    TO_BE_MENDED.engines,
  );
});

test('the configuration knows of stores how they are addressed, and nothing else', (t) => {
  const wrong = ofSrc.filter(
    ({ file, target }) =>
      roomOf(file) === 'config' &&
      roomOf(target) === 'store' &&
      !/^src\/store\/(address|store-tls)\.ts$/.test(target),
  );
  expectNone(t, 'address.ts and store-tls.ts are all the configuration may know', wrong.map(shown));
});

test('writers know stores by their contract alone', (t) => {
  const wrong = ofSrc.filter(
    ({ file, target, typeOnly }) =>
      roomOf(file) === 'writer' &&
      roomOf(target) === 'store' &&
      !(typeOnly && target === 'src/store/contract.ts'),
  );
  expectNone(t, 'import types of src/store/contract.ts only', wrong.map(shown));
});

test('commands that have a folder do not know each other', (t) => {
  const commandOf = (file: string) => /^src\/cli\/([\w-]+)\//.exec(file)?.[1];
  const wrong = ofSrc.filter(({ file, target }) => {
    const [from, to] = [commandOf(file), commandOf(target)];
    return from !== undefined && to !== undefined && from !== to;
  });
  expectNone(t, 'move what both need to a file of src/cli/', wrong.map(shown));
});

test('no file imports itself, by whatever detour, not even for a type', (t) => {
  const circles = circlesOf(internal).map((circle) => circle.join(', '));
  const advice = 'these files import each other in a circle; move what they share to a file below them';
  expectNone(t, advice, circles, TO_BE_MENDED.circles);
});

test('circles are found, each once', (t) => {
  const chain = ['a b', 'b c', 'c a', 'c d', 'd e', 'e d', 'x a'].map((pair) => {
    const [file = '', target = ''] = pair.split(' ');
    return { file, target };
  });
  t.deepEqual(circlesOf(chain), [
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
});

/** Names that mean the same in every folder. */
const SAME_MEANING: Readonly<Record<string, string>> = {
  'index.ts': 'what the folder gives to others',
  'contract.ts': 'what is behind the folder must do',
  'command.ts': 'a command of the command line',
  'open.ts': 'which engine is behind a contract',
  'store.ts': 'a store behind the contract',
  'errors.ts': 'what failures mean',
  'log.ts': 'where a reporter logs',
  'reload.ts': 'reading the configuration again while it runs',
  'dead-letters.ts': 'dead letters',
  'connection.ts': 'one end of a connection between agent and reporter',
};

test('no two files of one name mean different things', (t) => {
  const folders = new Map<string, string[]>();
  for (const file of files.filter((one) => one.startsWith('src/'))) {
    const name = path.basename(file);
    folders.set(name, [...(folders.get(name) ?? []), path.dirname(file)]);
  }
  const isAboutAgents = (folder: string) => /^src\/(client|intake)$/.test(folder);
  const wrong = [...folders].filter(
    ([name, where]) =>
      where.length > 1 &&
      (!(name in SAME_MEANING) || (name === 'connection.ts' && !where.every(isAboutAgents))),
  );
  expectNone(
    t,
    'name each after what it holds; names that mean the same in every folder stand in SAME_MEANING of this test',
    wrong.map(([name, where]) => `${name} in ${where.join(' and ')}`),
    TO_BE_MENDED.names,
  );
});

/** Where each package may be imported by `src/`. */
const TELEMETRY = /^src\/observe\/telemetry\/[\w-]+\.ts$/;

const NATS = /^src\/journal\/jetstream\/[\w-]+\.ts$/;

const PACKAGES: Readonly<Record<string, RegExp>> = {
  // Bundled when the page is built, so that nobody installs them.
  '@preact/signals': /^src\/page\//,
  preact: /^src\/page\//,
  // Optional: their types alone, but for the one place that imports them when they are asked for.
  '@opentelemetry/api': TELEMETRY,
  '@opentelemetry/exporter-metrics-otlp-http': TELEMETRY,
  '@opentelemetry/exporter-trace-otlp-http': TELEMETRY,
  '@opentelemetry/resources': TELEMETRY,
  '@opentelemetry/sdk-metrics': TELEMETRY,
  '@opentelemetry/sdk-trace': TELEMETRY,
  '@nats-io/jetstream': NATS,
  '@nats-io/transport-node': NATS,
  commander: /^src\/cli\//,
  fastify: /^src\/admin\/http\.ts$/,
  'fs-native-extensions': /^src\/lmdb\/lock\.ts$/,
  lmdb: /^src\/(journal\/lmdb\/[\w-]+|lmdb\/[\w-]+|store\/embedded\/\w+|history\/history-file)\.ts$/,
  'murmurhash3js-revisited': /^src\/partition\/hash\.ts$/,
  mysql2: /^src\/store\/mysql\/[\w-]+\.ts$/,
  nact: /^src\/runtime\/actors\.ts$/,
  pino: /^src\/cli\/log\.ts$/,
  'pino-pretty': /^src\/cli\/log\.ts$/,
  'prom-client': /^src\/observe\/metrics\.ts$/,
  protobufjs: /^src\/wire\/messages\.ts$/,
  zod: /^src\/config\/[\w-]+\.ts$/,
};

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const packagesOfSrc = imports.filter(
  ({ file, ours, target }) => file.startsWith('src/') && !ours && !target.startsWith('node:'),
);

/** All but what the page is bundled from. */
const packagesInstalled = packagesOfSrc.filter(({ file }) => roomOf(file) !== 'page');

test('each package is imported in its one place', (t) => {
  const wrong = packagesOfSrc.filter(({ file, target }) => !PACKAGES[packageOf(target)]?.test(file));
  const advice = 'PACKAGES of this test has the place of each; give a new one its place there';
  expectNone(t, advice, wrong.map(shown));
});

test('the packages that are imported are those the package depends on', (t) => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(path.join(PROJECT, 'package.json'), 'utf8'),
  ) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
    peerDependenciesMeta: Record<string, { optional: boolean }>;
  };
  const optional = Object.keys(peerDependencies);
  t.deepEqual(
    [...new Set(packagesInstalled.map(({ target }) => packageOf(target)))].sort(),
    [...Object.keys(dependencies), ...optional].sort(),
  );
  for (const name of optional) t.true(peerDependenciesMeta[name]?.optional, name);
});

/** Optional packages, and the one file that imports each. */
const LOADING = [
  ['@opentelemetry/', 'src/observe/telemetry/packages.ts'],
  ['@nats-io/', 'src/journal/jetstream/nats-packages.ts'],
] as const;

test('optional packages are imported in one place, when they are asked for', (t) => {
  for (const [scope, loading] of LOADING) {
    const optional = packagesOfSrc.filter(({ target }) => target.startsWith(scope));
    expectNone(
      t,
      `import their types only; ${loading} imports them`,
      optional.filter(({ file, typeOnly }) => !typeOnly && file !== loading).map(shown),
    );
    const source = readFileSync(path.join(PROJECT, loading), 'utf8');
    t.notRegex(source, new RegExp(`^import (?!type )[^;]*'${scope}`, 'm'));
  }
});
