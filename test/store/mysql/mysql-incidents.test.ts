import path from 'node:path';
import test from 'ava';
import { IncidentCopy } from '../../../src/node/incident-copy.js';
import { incidentTable } from '../../../src/store/incident-table.js';
import { migrateHistory } from '../../../src/store/migration.js';
import { until } from '../../../src/testing/index.js';
import type { ViewReply } from '../../../src/view/live.js';
import type { Incident } from '../../../src/view/shapes.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { tempDir } from '../../support/temp.js';
import { rejection } from '../databases.js';

const BOUND = { boundMs: 60_000 };
const TIMEOUTS = { connectTimeoutMs: 5_000, queryTimeoutMs: 5_000 };
/** 2026-11-27T02:00:00Z */
const NOW = 1_795_744_800;
const iso = (second: number) => new Date(second * 1000).toISOString();

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const incident = (id: number, change: Partial<Incident> = {}): Incident => ({
  ...{ id, kind: 'host', modid: -4, cmdid: 17, host: '192.168.0.7:80', began: iso(NOW + id), ended: null },
  ...{ peakHot: 3, callers: 4, relapses: 5, before: { calls: 200, errors: 20 }, firstCaller: '10.0.0.9' },
  ...change,
});

/** A view that knows these, and a copy of them into a database. */
function copying(name: string, known: Incident[]) {
  const table = incidentTable({ url: db.url(name), ...TIMEOUTS })!;
  const notes: string[] = [];
  const ask = async (): Promise<ViewReply> => ({
    status: 200,
    body: Buffer.from(JSON.stringify({ asOf: iso(NOW + 100), incidents: known, cursor: null })),
  });
  const copy = new IncidentCopy({ table, ask, note: (text) => notes.push(text), everyMs: 20 });
  const rows = () => db.query(`SELECT * FROM ${name}.ServerCallIncident ORDER BY began`);
  return { copy, notes, rows };
}

test('migrate --history makes the table of incidents, once; an embedded store has none', async (t) => {
  await db.query('CREATE DATABASE lars_made');
  t.is(await migrateHistory(db.url('lars_made')), 'created');
  t.is(await migrateHistory(db.url('lars_made')), 'unchanged');
  const error = await rejection(t, migrateHistory(`embedded:${path.join(tempDir(t), 's')}`), 'configuration');
  t.regex(error.message, /history\.dir/);
});

test('incidents are in the table as they are: begun, then ended; each once, whatever the clock does', async (t) => {
  await db.query('CREATE DATABASE lars_copied');
  await migrateHistory(db.url('lars_copied'));
  const known = [
    incident(1),
    incident(2, { kind: 'errors', host: null, firstCaller: null }),
    incident(3, { kind: 'blackout', host: null, firstCaller: null }),
  ];
  const { copy, rows } = copying('lars_copied', known);
  copy.start();
  t.teardown(() => copy.end());
  await until(async () => (await rows()).length === 3, { ...BOUND, what: 'the incidents' });
  known[0] = incident(1, { ended: iso(NOW + 60), relapses: 9, began: iso(NOW + 2_000) });
  await until(async () => (await rows())[0]?.['ended'] !== null, { ...BOUND, what: 'the end' });
  const [first, second, third] = await rows();
  t.like(first, { modid: -4, cmdid: 17, ip: 0xc0a80007, port: 80, began: NOW + 1, ended: NOW + 60 });
  t.like(first, { peak_hot: 3, callers: 4, relapses: 9, calls: 200, errs: 20, first_caller: 0x0a000009 });
  t.like(second, { ip: 0, port: 1, began: NOW + 2, ended: null, first_caller: null });
  t.like(third, { ip: 0, port: 0, began: NOW + 3 });
  t.is((await rows()).length, 3);
});

test('without the table nothing is copied and nothing is said; what cannot be written is said, and caught up', async (t) => {
  await db.query('CREATE DATABASE lars_late');
  const { copy, notes, rows } = copying('lars_late', [incident(1)]);
  copy.start();
  await copy.end();
  t.deepEqual(notes, []);

  await migrateHistory(db.url('lars_late'));
  await db.query('ALTER TABLE lars_late.ServerCallIncident DROP COLUMN relapses');
  const again = copying('lars_late', [incident(1), incident(2)]);
  again.copy.start();
  t.teardown(() => again.copy.end());
  await until(() => again.notes.length > 0, { ...BOUND, what: 'it to be said' });
  t.regex(again.notes[0]!, /incidents cannot be copied/);
  await db.query('ALTER TABLE lars_late.ServerCallIncident ADD COLUMN relapses INT NOT NULL');
  await until(async () => (await rows()).length === 2, { ...BOUND, what: 'the incidents' });
  await until(() => again.notes.length === 2, { ...BOUND, what: 'that to be said, too' });
});
