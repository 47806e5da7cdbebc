import { StoreError } from '../../model/errors.js';
import type { Query } from './mysql-connection.js';
import { EMPTY_UPSERT, type KeySigns, TABLE } from './upsert.js';

/** What a writer and a reader must know of the table as it is. */
export interface TableShape {
  readonly signs: KeySigns;
  /** The primary key's columns in the order of its index. */
  readonly keyOrder: readonly KeyColumn[];
}

export type KeyColumn = keyof KeySigns;

export const KEY_COLUMNS: readonly KeyColumn[] = ['modid', 'cmdid', 'ip', 'port', 'caller'];

/**
 * A key column holds 32 bits, as a signed or an unsigned number. In a signed bigint it could be either, and what was
 * an unsigned column before it was widened holds the other one: one key would get two rows.
 */
const KEY_TYPE = /^(int\b|bigint\b.*\bunsigned\b)/;
const COUNTER_TYPE = /^(int|bigint)\b/;

/** What each column must be to hold every value a row can have, and how to say so. */
const USABLE: ReadonlyMap<string, { readonly type: RegExp; readonly want: string }> = new Map([
  ...KEY_COLUMNS.map((name) => [name, { type: KEY_TYPE, want: 'int or int unsigned' }] as const),
  ['succ_cnt', { type: COUNTER_TYPE, want: 'int' }],
  ['err_cnt', { type: COUNTER_TYPE, want: 'int' }],
  // The agents' clock is a uint32: a signed int ends in 2038.
  ['ts', { type: /^(bigint\b|int\b.*\bunsigned\b)/, want: 'bigint' }],
  ['overload', { type: /^(var)?char\([1-9]/, want: 'char(1)' }],
]);

interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
}

interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly string[];
}

/**
 * Reads the table, and checks that upserts into it can take place: as `readTable`, and with the privileges of
 * this user on this server. Changes nothing.
 */
export async function checkTable(query: Query): Promise<TableShape> {
  const shape = await readTable(query);
  await query(EMPTY_UPSERT);
  return shape;
}

/**
 * Reads the table and checks that upserts into it mean what they should: all columns, of usable types, a
 * primary key of exactly the five key columns, no other unique key, and an engine that keeps what it confirms. Rejects with StoreError `configuration`
 * that names every difference, or with what the server says (no such table).
 *
 * SHOW rather than information_schema: it finds the table by the server's own rules of upper and lower case.
 */
export async function readTable(query: Query): Promise<TableShape> {
  const columns = (await query(`SHOW COLUMNS FROM ${TABLE}`)).map(toColumn);
  const indexes = toIndexes(await query(`SHOW INDEX FROM ${TABLE}`));
  const differences = [
    ...columnDifferences(columns),
    ...indexDifferences(indexes),
    ...(await engineDifferences(query)),
  ];
  if (differences.length > 0)
    throw new StoreError(
      'configuration',
      'TABLE_MISMATCH',
      `table ${TABLE} cannot take status rows: ${differences.join('; ')}. ` +
        'Change the table, or rename it and run migrate to have the right one made (see schema/README.md)',
    );

  const unsigned = new Set(columns.filter(({ type }) => type.includes('unsigned')).map(({ name }) => name));
  const [modid, cmdid, ip, port, caller] = KEY_COLUMNS.map((name) => unsigned.has(name));
  return {
    signs: { modid: modid!, cmdid: cmdid!, ip: ip!, port: port!, caller: caller! },
    keyOrder: indexes.find(isPrimary)!.columns as readonly KeyColumn[],
  };
}

function columnDifferences(columns: readonly Column[]): string[] {
  const differences: string[] = [];
  for (const [name, { type, want }] of USABLE) {
    const column = columns.find((candidate) => candidate.name === name);
    if (column === undefined) differences.push(`column ${name} (${want} NOT NULL) is missing`);
    else if (column.generated) differences.push(`column ${name} is generated and cannot be written`);
    else if (!type.test(column.type)) differences.push(`column ${name} is ${column.type}, needed is ${want}`);
  }
  for (const { name, nullable, hasDefault, generated } of columns) {
    if (!USABLE.has(name) && !nullable && !hasDefault && !generated)
      differences.push(`further column ${name} is NOT NULL without a default, so no row can be inserted`);
  }
  return differences;
}

function indexDifferences(indexes: readonly Index[]): string[] {
  const differences: string[] = [];
  const wanted = KEY_COLUMNS.join(', ');
  const primary = indexes.find(isPrimary);
  if (primary === undefined) differences.push(`it has no primary key, needed is (${wanted})`);
  else if (!coversKey(primary) || primary.columns.length !== KEY_COLUMNS.length)
    differences.push(
      `its primary key is (${primary.columns.join(', ')}), needed is (${wanted}): ` +
        'with another one, rows of different keys replace each other or rows of one key pile up',
    );
  for (const index of indexes) {
    if (index.unique && !isPrimary(index) && !coversKey(index))
      differences.push(
        `unique key ${index.name} (${index.columns.join(', ')}) would make rows of different keys replace ` +
          'each other; drop it or make it non-unique',
      );
  }
  return differences;
}

/**
 * An engine without transactions loses rows it has confirmed when the server ends, stores statements in part, or keeps
 * nothing at all.
 */
async function engineDifferences(query: Query): Promise<string[]> {
  const [[, ddl] = []] = await query(`SHOW CREATE TABLE ${TABLE}`);
  // Comments may hold anything.
  const engine = /\)[^)]*\bENGINE=(\w+)/.exec(String(ddl).replaceAll(/'(?:[^'\\]|\\.|'')*'/g, "''"))?.[1];
  if (engine === undefined || engine === 'InnoDB') return [];
  // Engine, Support, Comment, Transactions, XA, Savepoints.
  const engines = await query('SHOW ENGINES');
  const known = engines.find(([name]) => String(name).toLowerCase() === engine.toLowerCase());
  if (known?.[3] === 'YES') return [];
  return [
    `its engine is ${engine}, which has no transactions: rows that were stored would be lost when the server ends, ` +
      `or at once; ALTER TABLE ${TABLE} ENGINE=InnoDB`,
  ];
}

const isPrimary = (index: Index) => index.name === 'PRIMARY';
const coversKey = (index: Index) => KEY_COLUMNS.every((name) => index.columns.includes(name));

type Cells = Awaited<ReturnType<Query>>;

/** Field, Type, Null, Key, Default, Extra. */
function toColumn([name, type, nullable, , byDefault, extra]: Cells[number]): Column {
  return {
    name: String(name).toLowerCase(),
    type: String(type).toLowerCase(),
    nullable: nullable === 'YES',
    hasDefault: byDefault !== null || /auto_increment/i.test(String(extra)),
    // MySQL says DEFAULT_GENERATED of a default that is an expression.
    generated: /(?<!default_)generated/i.test(String(extra)),
  };
}

/** Table, Non_unique, Key_name, Seq_in_index, Column_name, Collation, Cardinality, Sub_part, … */
function toIndexes(cells: Cells): Index[] {
  const indexes = new Map<string, { name: string; unique: boolean; columns: string[] }>();
  for (const [, nonUnique, keyName, , columnName, , , subPart] of cells) {
    const name = String(keyName);
    const index = indexes.get(name) ?? { name, unique: Number(nonUnique) === 0, columns: [] };
    indexes.set(name, index);
    // A prefix or an expression is not the column: two keys may agree on it.
    const whole = columnName !== null && subPart === null;
    index.columns.push(whole ? String(columnName).toLowerCase() : `${columnName ?? 'expression'}(…)`);
  }
  return [...indexes.values()];
}
