import { readdirSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import '../../src/index.js';
import { nameOf } from '../../tools/bench/function-times.js';
import { STAGES, stageOf } from '../../tools/bench/stages.js';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** V8 gives these names to what is no function. */
const PSEUDO = [':(idle)', ':(garbage collector)'];

/** Functions and methods by their declarations; compiled files are laid out alike. */
function ownFunctions(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => {
      const text = readFileSync(path.join(SRC, file), 'utf8');
      const names = [...text.matchAll(/^\s*(?:export |async |static |function |\*)*(#?\w+)\(.*\) \{$/gm)];
      return names.map(([, name]) => `${file.split(path.sep).join('/')}:${name}`);
    });
}

/** Scripts this process has loaded: ours, packages', and Node's own. */
async function loadedScripts(): Promise<string[]> {
  const urls: string[] = [];
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => urls.push(params.url));
  await session.post('Debugger.enable');
  session.disconnect();
  return urls.map((url) => nameOf(url, ''));
}

test('every pattern of the profile still finds functions that no earlier stage takes', async (t) => {
  const names = [...PSEUDO, ...ownFunctions(), ...(await loadedScripts())];
  for (const { name, patterns } of STAGES)
    for (const pattern of patterns)
      t.true(
        names.some((one) => pattern.test(one) && stageOf(one) === name),
        `${name}: ${pattern}`,
      );
});

test('every folder a row goes through belongs to a stage', (t) => {
  for (const file of ['wire/frame', 'routing/router', 'partition/pending', 'writer/flush', 'journal/record'])
    t.not(stageOf(`${file}.js:anything`), 'other', file);
});
