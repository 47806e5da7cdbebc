import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { startFleet, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const WORKER = fileURLToPath(new URL('./restart-worker.js', import.meta.url));
const BOUND = { boundMs: 120_000 };
const SAMPLE_MS = 10;
const MIB = 1_048_576;
const SHAPE = { agents: 4, services: 600, hosts: 250 };
const KEYS = SHAPE.agents * SHAPE.services * SHAPE.hosts;

interface Memory {
  /** Of its own: heap, rows, buffers. */
  readonly own: number;
  /** Pages of files that are mapped: the program's, and the journal's as far as it was read through a map. */
  readonly mapped: number;
}

/** Resident memory of a process, in MiB. */
function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return { own: kib('RssAnon') / 1024, mapped: kib('RssFile') / 1024 };
}

/** A reporter in a process of its own, and the most memory it has had. */
async function start(t: ExecutionContext, dir: string) {
  const child = spawn(process.execPath, [WORKER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(() => void child.kill('SIGKILL'));
  const lines: { readonly port?: number; readonly pending?: number }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as object));
  const most = { own: 0, mapped: 0 };
  let samples = 0;
  const sampling = setInterval(() => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const { own, mapped } = memoryOf(child.pid!);
    most.own = Math.max(most.own, own);
    most.mapped = Math.max(most.mapped, mapped);
    samples++;
  }, SAMPLE_MS);
  t.teardown(() => clearInterval(sampling));
  const port = await until(() => lines[0]?.port, { ...BOUND, what: 'the reporter to listen' });
  return {
    port,
    most,
    samples: () => samples,
    pending: () => lines.at(-1)?.pending,
    kill: async () => {
      clearInterval(sampling);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'a process that is started anew after a kill takes no more memory than the one before it, the journal not included',
  async (t) => {
    t.timeout(300_000);
    const dir = `${tempDir(t)}/journal`;
    const empty = await start(t, `${tempDir(t)}/empty`);
    await until(() => empty.pending() === 0, { ...BOUND, what: 'an empty one' });
    await empty.kill();

    const before = await start(t, dir);
    const fleet = await startFleet({ port: before.port, ...SHAPE });
    await until(() => fleet.rounds >= 4, { ...BOUND, what: 'all keys to be reported four times' });
    await fleet.stop(120_000);
    // Values in flight that were replaced are pending, too.
    await until(() => before.pending()! >= KEYS, { ...BOUND, what: 'all to be journaled' });
    await before.kill();
    const journalMib = statSync(`${dir}/data.mdb`).size / MIB;
    t.true(journalMib > 80, `the journal has ${journalMib} MiB`);

    const after = await start(t, dir);
    await until(() => after.pending() === KEYS, { ...BOUND, what: 'all to be pending again' });
    const seen = after.samples();
    await until(() => after.samples() > seen + 100, { ...BOUND, what: 'a hundred looks at it at rest' });
    await after.kill();
    t.log(`${KEYS} keys, ${((journalMib * MIB) / KEYS).toFixed(0)} bytes a key on disk`, {
      empty: empty.most,
      before: before.most,
      after: after.most,
    });
    t.true(
      after.most.own <= 1.3 * before.most.own,
      `${after.most.own} MiB of its own, ${before.most.own} before`,
    );
    const mapped = after.most.mapped - empty.most.mapped;
    t.true(mapped < journalMib / 5, `${mapped} MiB of a journal of ${journalMib} MiB are mapped`);
  },
);
