import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const TREES = ['src', 'tools', 'test', 'examples'];

export interface Import {
  /** File that imports, from the project's folder. */
  readonly file: string;
  /** Package, `node:…`, or file from the project's folder. */
  readonly target: string;
  readonly ours: boolean;
  /** Gone when compiled. */
  readonly typeOnly: boolean;
}

/** Every TypeScript file of the project but declarations. */
export const files: readonly string[] = TREES.flatMap((tree) =>
  readdirSync(path.join(PROJECT, tree), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => `${tree}/${file.split(path.sep).join('/')}`),
);

export const imports: readonly Import[] = files.flatMap((file) =>
  importsIn(file, readFileSync(path.join(PROJECT, file), 'utf8')),
);

/** What a file imports, re-exports or requires, in any of the ways there are. */
export function importsIn(file: string, source: string): Import[] {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = [
    ...text.matchAll(/^(?:import|export)\s([^'";]*?)\sfrom\s+'([^']+)'/gm),
    ...text.matchAll(/^import()\s+'([^']+)'/gm),
    ...text.matchAll(/\b(?:import|require)()\(\s*'([^']+)'\s*\)/gm),
  ];
  return statements.map(([, clause = '', specifier = '']) => {
    const ours = specifier.startsWith('.');
    return {
      file,
      target: ours ? sourceOf(path.join(path.dirname(file), specifier)) : specifier,
      ours,
      typeOnly: clause.startsWith('type ') || isAllTypes(clause),
    };
  });
}

/** `a.js` is compiled from `a.ts`, or from `a.tsx`. */
function sourceOf(compiled: string): string {
  const source = compiled.replace(/\.js$/, '.ts');
  return existsSync(path.join(PROJECT, `${source}x`)) ? `${source}x` : source;
}

/** `{ type A, type B }` */
function isAllTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '');
  return names?.every((name) => name.trim().startsWith('type ')) ?? false;
}

/** Groups of files each of which imports itself through the others. Imports of types count. */
export function circlesOf(among: readonly Pick<Import, 'file' | 'target'>[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { file, target } of among) next.set(file, [...(next.get(file) ?? []), target]);
  const reachable = new Map([...next.keys()].map((file) => [file, reachableFrom(file, next)]));
  const reaches = (from: string, to: string) => reachable.get(from)?.has(to) ?? false;
  const circles = [...next.keys()]
    .filter((file) => reaches(file, file))
    .map((file) => [...next.keys()].filter((other) => reaches(file, other) && reaches(other, file)).sort());
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}

function reachableFrom(from: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const queue = [...(next.get(from) ?? [])];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    queue.push(...(next.get(file) ?? []));
  }
  return seen;
}
