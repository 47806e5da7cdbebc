/** `npm run fuzz`: hostile streams by the million against the decoders, or against a whole reporter. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expectStream } from '../../src/testing/reference.js';
import { type HostileStream, hostileStream } from '../../src/testing/streams.js';
import { note, runTool } from '../shared/tool.js';
import { decodingDifference } from './decoding.js';
import { HostileService } from './hostile-service.js';
import { type FuzzOptions, fuzzOptions, USAGE } from './options.js';
import { headerDifference, hostileHeader } from './proxy-headers.js';
import { type Counterexample, shrink } from './shrink.js';
import { TlsService } from './tls-service.js';

const PROGRESS_MS = 2000;
/** Streams between two turns of the event loop, so that signals and progress get through. */
const STREAMS_A_TURN = 200;
/** Trying a stream on a whole reporter takes a while. */
const SERVICE_TRIES = 300;

class Progress {
  readonly #runs: number;
  readonly #began = performance.now();
  #shownAt = this.#began;
  #streams = 0;
  #bytes = 0;

  constructor(runs: number) {
    this.#runs = runs;
  }

  did(streams: readonly { readonly bytes: Uint8Array }[]): void {
    this.#streams += streams.length;
    for (const { bytes } of streams) this.#bytes += bytes.length;
    if (performance.now() - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = performance.now();
    note(`${this.#streams} of ${this.#runs} streams, ${this}`);
  }

  toString(): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round(this.#streams / seconds);
    const mib = (bytes: number) => `${(bytes / 1_048_576).toFixed(0)} MiB`;
    return `${mib(this.#bytes)} in ${seconds.toFixed(0)} s, ${rate} a second, ${mib(process.memoryUsage.rss())} resident`;
  }
}

async function fuzzDecoder({ runs, seed }: FuzzOptions): Promise<number> {
  const progress = new Progress(runs);
  for (let run = 0; run < runs; run++) {
    const stream = hostileStream(seed + run);
    const found = decodingDifference(stream.bytes, stream.cuts);
    progress.did([stream]);
    if (found !== undefined)
      return report(stream, found, 'decoder', ({ bytes, cuts }) => decodingDifference(bytes, cuts));
    if (run % STREAMS_A_TURN === 0) await new Promise(setImmediate);
  }
  process.stdout.write(`${runs} streams decoded as the reference does: ${progress}\n`);
  return 0;
}

async function fuzzProxy({ runs, seed }: FuzzOptions): Promise<number> {
  const progress = new Progress(runs);
  for (let run = 0; run < runs; run++) {
    const header = hostileHeader(seed + run);
    const found = headerDifference(header);
    progress.did([header]);
    if (found !== undefined) {
      const repeat = `npm run fuzz -- --target proxy --seed ${seed + run} --runs 1`;
      process.stdout.write(`FAILED: ${found}\nbytes: ${header.bytes.toString('hex')}\nrepeat: ${repeat}\n`);
      return 1;
    }
    if (run % STREAMS_A_TURN === 0) await new Promise(setImmediate);
  }
  process.stdout.write(`${runs} streams read as PROXY headers are: ${progress}\n`);
  return 0;
}

async function fuzzTls({ runs, seed, agents }: FuzzOptions): Promise<number> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-fuzz-'));
  try {
    // What a process opens once and keeps is opened here.
    await (await TlsService.start(path.join(dir, 'first'))).stop();
    const service = await TlsService.start(path.join(dir, 'second'));
    const progress = new Progress(runs);
    for (let run = 0; run < runs; run += agents) {
      const count = Math.min(agents, runs - run);
      const streams = Array.from({ length: count }, (_, index) => service.streamOf(seed + run + index));
      const found = await service.run(streams);
      progress.did(streams);
      if (found === undefined) continue;
      const repeat = `npm run fuzz -- --target tls --seed ${seed + run} --runs ${count} --agents ${agents}`;
      process.stdout.write(`FAILED: ${found}\nrepeat: ${repeat}\n`);
      await service.stop();
      return 1;
    }
    const { traffic } = service;
    const left = await service.stop();
    if (left !== undefined) {
      process.stdout.write(`FAILED: left behind: ${left}\n`);
      return 1;
    }
    process.stdout.write(`${runs} streams refused, and good agents served: ${progress}\n`);
    process.stdout.write(`${JSON.stringify(traffic)}\n`);
    return 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function fuzzService({ runs, seed, agents }: FuzzOptions): Promise<number> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-fuzz-'));
  let services = 0;
  const start = () => HostileService.start(path.join(dir, String(++services)));
  try {
    // What a process opens once and keeps is opened here.
    await (await start()).stop();
    const service = await start();
    const progress = new Progress(runs);
    for (let run = 0; run < runs; run += agents) {
      const streams = Array.from({ length: Math.min(agents, runs - run) }, (_, index) =>
        hostileStream(seed + run + index),
      );
      const found = await service.run(streams);
      progress.did(streams);
      if (found === undefined) continue;
      await service.stop();
      return await reportWave(streams, found, start);
    }
    const { traffic } = service.reporter.status();
    const left = await service.stop();
    if (left !== undefined) {
      process.stdout.write(`FAILED: left behind: ${left}\n`);
      return 1;
    }
    process.stdout.write(`${runs} streams taken as the reference takes them: ${progress}\n`);
    process.stdout.write(`${JSON.stringify(traffic)}\n`);
    return 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Looks for the one stream of a wave that is to blame, each alone on a reporter of its own. */
async function reportWave(
  streams: readonly HostileStream[],
  found: string,
  start: () => Promise<HostileService>,
): Promise<number> {
  const alone = async (example: Counterexample) => {
    const service = await start();
    const difference = await service.run([example]);
    await service.stop();
    return difference;
  };
  for (const stream of streams) {
    const difference = await alone(stream);
    if (difference !== undefined) return report(stream, difference, 'service', alone, SERVICE_TRIES);
  }
  process.stdout.write(`FAILED: ${found}\n`);
  process.stdout.write('no stream shows it alone; together they may again:\n');
  process.stdout.write(
    `  npm run fuzz -- --target service --seed ${streams[0]!.seed} --runs ${streams.length} --agents ${streams.length}\n`,
  );
  return 1;
}

/** Prints what was found in a stream, the smallest stream that shows it, and how to repeat it. */
async function report(
  stream: HostileStream,
  found: string,
  target: FuzzOptions['target'],
  check: (example: Counterexample) => string | undefined | Promise<string | undefined>,
  maxTries?: number,
): Promise<number> {
  note(`FAILED at seed ${stream.seed}; looking for the smallest stream that shows it`);
  const smallest = await shrink(stream, async (example) => (await check(example)) !== undefined, maxTries);
  const { ending, frames, rejected } = expectStream(smallest.bytes);
  const lines = [
    `FAILED: ${found}`,
    `stream ${stream.seed}: ${stream.pieces.map(({ kind }) => kind).join(', ')}`,
    `smallest, ${smallest.bytes.length} bytes: ${Buffer.from(smallest.bytes).toString('hex')}`,
    `cut at: ${smallest.cuts.join(' ') || 'nowhere'}`,
    `shows: ${await check(smallest)}`,
    `expected: ${JSON.stringify({ ending, frames, rejected })}`,
    `repeat: npm run fuzz -- --target ${target} --seed ${stream.seed} --runs 1`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 1;
}

async function main(): Promise<number> {
  const options = fuzzOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  note(`seed ${options.seed}`);
  // Millions of errors are thrown. Their stacks cost more than all else, and nobody reads them.
  Error.stackTraceLimit = 0;
  return FUZZERS[options.target](options);
}

const FUZZERS: Readonly<Record<FuzzOptions['target'], (options: FuzzOptions) => Promise<number>>> = {
  decoder: fuzzDecoder,
  service: fuzzService,
  proxy: fuzzProxy,
  tls: fuzzTls,
};

await runTool(main);
