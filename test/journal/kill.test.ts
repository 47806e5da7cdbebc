import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ReporterError } from '../../src/model/errors.js';
import { RowBatch } from '../../src/model/row.js';
import { tempDir } from '../support/temp.js';
import { afterNumbered } from './numbered.js';
import { openLmdb } from './opened.js';
import { replay } from './replay.js';

const CHILD = fileURLToPath(new URL('append-child.js', import.meta.url));
const ROUNDS = 8;

const byKey = (a: readonly number[], b: readonly number[]) => a[0]! - b[0]!;

/** Runs the appending process until it has acknowledged `lines` records, and kills it. Gives what it acknowledged. */
async function appendAndKill(dir: string, lines: number, meanwhile: (pid: number) => void) {
  const child = spawn(process.execPath, [CHILD, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  let killed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (killed || said.split('\n').length <= lines) return;
    killed = true;
    meanwhile(child.pid!);
    child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error(`the appending process ended by itself: ${said.slice(-500)}`);
  const acknowledged = [0, 0];
  for (const line of said.split('\n').slice(0, -1)) {
    const [partition, sequence] = line.split(' ').map(Number) as [number, number];
    acknowledged[partition] = sequence;
  }
  return acknowledged;
}

test('what was acknowledged survives kill -9 at any moment, snapshots under way or not', async (t) => {
  const dir = tempDir(t);
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await appendAndKill(dir, 1 + Math.floor(Math.random() * 600), (pid) => {
      const error = t.throws(() => openLmdb({ dir, writers: 2 }), {
        instanceOf: ReporterError,
        code: 'JOURNAL_IN_USE',
      });
      t.true(error?.message.includes(`process ${pid}`), 'another process is told who holds the journal');
    });
    // The lock of the killed one is not in the way.
    const journal = openLmdb({ dir, writers: 2 });
    for (const [index, sequence] of acknowledged.entries()) {
      const { pending, base, last, batchId, records } = await replay(journal.partition(index));
      t.true(last >= sequence, `${sequence} was acknowledged, the journal ends with ${last}`);
      t.is(batchId, last);
      t.deepEqual(
        records.map((record) => record.sequence),
        Array.from({ length: last - base }, (_, at) => base + 1 + at),
      );
      const rows = [...new RowBatch(pending.copySlots(0, pending.slotEnd))];
      t.deepEqual(
        rows.map(({ modid, succ }) => [modid, succ]).sort(byKey),
        [...afterNumbered(last)].sort(byKey),
      );
    }
    await journal.close();
  }
});
