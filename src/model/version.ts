import { readFileSync } from 'node:fs';

let known: string | undefined;

/** The version of this package. */
export function packageVersion(): string {
  if (known === undefined) {
    const file = new URL('../../../package.json', import.meta.url);
    // Our own file: npm does not publish one without a version.
    known = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return known;
}
