import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

interface Import {
  /** File that imports, below src. */
  readonly file: string;
  /** Package, `node:…`, or file below src. */
  readonly target: string;
  readonly ours: boolean;
  /** Gone when compiled. */
  readonly typeOnly: boolean;
}

/** What a file imports, re-exports or requires, in any of the ways there are. */
function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = [
    ...text.matchAll(/^(?:import|export)\s([^'";]*?)\sfrom\s+'([^']+)'/gm),
    ...text.matchAll(/^import()\s+'([^']+)'/gm),
    ...text.matchAll(/\b(?:import|require)()\(\s*'([^']+)'\s*\)/gm),
  ];
  return statements.map(([, clause = '', specifier = '']) => {
    const ours = specifier.startsWith('.');
    return {
      file,
      target: ours ? path.join(path.dirname(file), specifier).replace(/\.js$/, '.ts') : specifier,
      ours,
      typeOnly: clause.startsWith('type ') || isAllTypes(clause),
    };
  });
}

/** `{ type A, type B }` */
function isAllTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '');
  return names?.every((name) => name.trim().startsWith('type ')) ?? false;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.split(path.sep).join('/'));
const imports = files.flatMap(importsOf);
const internal = imports.filter(({ ours }) => ours);

/** The folder of a file below src; files beside the folders are rooms of their own, `config.ts` belongs to config. */
function roomOf(file: string): string {
  if (file === 'config.ts') return 'config';
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
}

const ANY = 'any';

/** Which rooms each room may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[] | typeof ANY>> = {
  model: [],
  wire: ['model'],
  pending: ['model'],
  // How agents behave, on a clock of their own; knows nothing of the service.
  simulation: ['model', 'wire'],
  journal: ['model'],
  store: ['model'],
  config: ['model'],
  actors: ['model', 'wire', 'pending', 'journal', 'store'],
  client: ['model', 'wire'],
  // Status, events and the read side of the store; never actors.
  admin: ['model', 'store'],
  'reporter.ts': ANY,
  testing: ANY,
  cli: ANY,
  'index.ts': ANY,
};

/** Rooms that stand on everything and that nothing below may know. */
const TOP = ['reporter.ts', 'index.ts', 'cli', 'testing'];

const said = ({ file, target }: Import) => `${file} imports ${target}`;

test('every import is seen by these tests', (t) => {
  // One of each kind, so that a change of style cannot blind them.
  for (const [file, target] of [
    ['actors/system.ts', 'nact'],
    ['wire/messages.ts', 'protobufjs'],
    ['wire/messages.ts', 'model/row.ts'],
    ['index.ts', 'model/errors.ts'],
    ['journal/tables.ts', 'lmdb'],
    ['cli/log.ts', 'pino-pretty'],
  ])
    t.true(
      imports.some((one) => one.file === file && one.target === target),
      `${file} → ${target}`,
    );
  for (const { file, target } of internal) t.true(files.includes(target), `${file} imports ${target}`);
});

test('each room imports only the rooms below it', (t) => {
  const unknown = [...new Set(files.map(roomOf))].filter((room) => !(room in ALLOWED));
  t.deepEqual(unknown, [], 'a new room is to be given its place here');
  const wrong = internal.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    const allowed = ALLOWED[from]!;
    return from !== to && allowed !== ANY && !allowed.includes(to);
  });
  t.deepEqual(wrong.map(said), []);
});

test('nothing stands on the reporter but the ways in', (t) => {
  const wrong = internal.filter(
    ({ file, target }) => TOP.includes(roomOf(target)) && !TOP.includes(roomOf(file)),
  );
  t.deepEqual(wrong.map(said), []);
});

test('actors know stores by their contract alone', (t) => {
  const wrong = internal.filter(
    ({ file, target, typeOnly }) =>
      roomOf(file) === 'actors' && roomOf(target) === 'store' && !(typeOnly && target === 'store/store.ts'),
  );
  t.deepEqual(wrong.map(said), []);
});

test('no file imports itself, by whatever detour', (t) => {
  const next = new Map(files.map((file) => [file, [] as string[]]));
  for (const { file, target, typeOnly } of internal) if (!typeOnly) next.get(file)!.push(target);
  const reachable = (from: string) => {
    const seen = new Set<string>();
    const queue = [...next.get(from)!];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      queue.push(...(next.get(file) ?? []));
    }
    return seen;
  };
  t.deepEqual(
    files.filter((file) => reachable(file).has(file)),
    [],
  );
});

/** Where each package may be imported. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  commander: /^cli\//,
  fastify: /^admin\/http\.ts$/,
  'fs-native-extensions': /^journal\/lock\.ts$/,
  lmdb: /^(journal\/\w+|store\/embedded)\.ts$/,
  'murmurhash3js-revisited': /^actors\/partition\.ts$/,
  mysql2: /^store\/mysql(-\w+)?\.ts$/,
  nact: /^actors\/system\.ts$/,
  pino: /^cli\/log\.ts$/,
  'pino-pretty': /^cli\/log\.ts$/,
  'prom-client': /^admin\/metrics\.ts$/,
  protobufjs: /^wire\/messages\.ts$/,
  zod: /^config(\/\w+)?\.ts$/,
};

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const external = imports.filter(({ ours, target }) => !ours && !target.startsWith('node:'));

/** Types only; to be taken from `cli/log.ts` instead. */
const EXCEPTIONS: string[] = [];

test('each package is imported in its one place', (t) => {
  const wrong = external.filter(({ file, target }) => !PACKAGES[packageOf(target)]?.test(file));
  t.deepEqual(wrong.map(said), EXCEPTIONS);
});

test('the packages that are imported are those the package depends on', (t) => {
  const { dependencies } = JSON.parse(readFileSync(path.join(SRC, '../package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  t.deepEqual(
    [...new Set(external.map(({ target }) => packageOf(target)))].sort(),
    Object.keys(dependencies).sort(),
  );
});
