import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { Ledger } from '../../src/index.js';
import { startFleet, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const WORKER = fileURLToPath(new URL('./disk-full-worker.js', import.meta.url));
const BOUND = { boundMs: 60_000 };
const shape = { agents: 4, services: 200, hosts: 20 };

interface Line {
  readonly port?: number;
  readonly journalError?: string;
  readonly ledger?: Ledger;
  readonly inflightBytes?: number;
  readonly unhandled?: string;
}

// The kernel fails a write beyond the file size limit as it fails one to a full disk; raising it is making room.
test('a journal that cannot grow: agents wait, the status says so, and it goes on by itself when there is room', async (t) => {
  const dir = tempDir(t);
  const child = spawn(
    'sh',
    ['-c', `trap '' XFSZ; ulimit -S -f 1200; exec "$0" "$@"`, process.execPath, WORKER, `${dir}/journal`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const lines: Line[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const part of parts) lines.push(JSON.parse(part) as Line);
  });
  child.stderr.resume();
  const port = await until(() => lines[0]?.port, { ...BOUND, what: 'the reporter to listen' });
  const fleet = await startFleet({ port, ...shape });
  const latest = () => lines.at(-1)!;
  await until(() => latest().journalError, { ...BOUND, what: 'the journal to be full' });
  // Each agent has room for a little in its own buffers; then TCP holds it.
  const received = latest().ledger!.received;
  await until(() => latest().inflightBytes! > 65_536, { ...BOUND, what: 'what was read to wait' });
  t.is(latest().ledger!.received, received, 'nothing is taken that cannot be journaled');
  t.true(latest().ledger!.balanced);

  await promisify(execFile)('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
  await until(() => !latest().journalError && latest().ledger!.received > received, {
    ...BOUND,
    what: 'it to go on',
  });
  const last = await fleet.stop();
  const sent = [...last.values()].reduce((rows, round) => rows + round * shape.services * shape.hosts, 0);
  await until(() => latest().ledger!.received === sent, {
    ...BOUND,
    what: 'every row to be journaled, once',
  });
  t.is(latest().ledger!.pending >= shape.agents * shape.services * shape.hosts, true);
  t.true(latest().ledger!.balanced);
  t.deepEqual(
    lines.filter(({ unhandled }) => unhandled !== undefined),
    [],
  );
  t.is(child.exitCode, null, 'the process lives');
});
