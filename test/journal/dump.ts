import { open } from 'lmdb';

const TABLES = ['meta', 'events', 'snapshots', 'heads', 'quarantine', 'peers', 'dead-letters'];

type Bytes = Uint8Array;

/** Every key and value of a journal that nobody has open, as text. */
export async function dumpJournal(dir: string): Promise<string[]> {
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8, readOnly: true });
  const entries = TABLES.flatMap((name) => {
    const table = environment.openDB<Bytes, number[]>({ name, encoding: 'binary' });
    return [...table.getRange()].map(
      ({ key, value }) => `${name} ${JSON.stringify(key)} ${Buffer.from(value).toString('hex')}`,
    );
  });
  await environment.close();
  return entries;
}

/** Changes, or removes, one stored value, as a failing disk may. `key` undefined: the first of the table. */
export async function damageJournal(
  dir: string,
  name: string,
  key: number[] | string | undefined,
  change: (bytes: Bytes) => Bytes | undefined,
): Promise<number[] | string> {
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  const table = environment.openDB<Bytes, number[] | string>({ name, encoding: 'binary' });
  const found = key ?? [...table.getKeys({ limit: 1 })][0]!;
  const changed = change(Uint8Array.from(table.get(found)!));
  await (changed ? table.put(found, changed) : table.remove(found));
  await environment.close();
  return found;
}

/** Turns one bit round, near the end. */
export function flipped(bytes: Bytes): Bytes {
  bytes[bytes.length - 3]! ^= 16;
  return bytes;
}
