import type { ExecutionContext } from 'ava';
import { StoreError, type StoreErrorClass } from '../../src/model/errors.js';
import { migrate } from '../../src/store/migration.js';
import type { DatabaseServer } from '../../tools/shared/database-server.js';

let made = 0;

/** Makes a database with the table, altered by each of `alter`; resolves with its name. */
export async function makeDatabase(db: DatabaseServer, ...alter: readonly string[]): Promise<string> {
  const name = `lars${made++}`;
  await db.query(`CREATE DATABASE ${name}`);
  await migrate(db.url(name));
  for (const change of alter) await db.query(`ALTER TABLE ${name}.ServerCallStatus ${change}`);
  return name;
}

/** The StoreError `promise` rejects with, of the class that is expected. */
export async function rejection(
  t: ExecutionContext,
  promise: Promise<unknown>,
  expected: StoreErrorClass,
): Promise<StoreError> {
  const error = await t.throwsAsync(promise, { instanceOf: StoreError });
  t.is(error.class, expected, error.message);
  return error;
}
