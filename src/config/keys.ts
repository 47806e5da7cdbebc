import { z } from 'zod';
import { schema as ours } from './schema.js';

/** A list holds texts or numbers; a record holds texts by name. */
export type KeyKind = 'integer' | 'number' | 'boolean' | 'text' | 'list' | 'record';

/** One key of a configuration, as its schema describes it. */
export interface ConfigKey {
  /** `listen.port`, at any depth: `listen.perAddress.keys`. */
  readonly key: string;
  /** The parts of `key`. */
  readonly path: readonly string[];
  /** The environment variable that overrides it: `LARS_LISTEN_PORT`. */
  readonly env: string;
  /** For people, with limits: `integer 0…65535`. */
  readonly type: string;
  readonly kind: KeyKind;
  /** Undefined for a key that is not set by default. */
  readonly default: unknown;
  /** What is in force when the key is not set, in a word or two. */
  readonly unset: string;
  readonly description: string;
  /** What an error message asks for: `an integer from 0 to 65535`. */
  readonly expected: string;
  /** Of a list or record: what each element is. */
  readonly item: { readonly kind: KeyKind; readonly expected: string } | undefined;
  /** Never printed. */
  readonly secret: boolean;
  /** What its relative paths are resolved in: a path, or a store's address. */
  readonly place: 'path' | 'store' | undefined;
  /** The key whose secret the file of this path holds. */
  readonly holds: string | undefined;
}

/** What `z.toJSONSchema` gives for a section or a key, as far as it is used here. */
interface Described {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  /** Of a section. */
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly additionalProperties?: Described | false;
  // From KeyMeta.
  readonly expected?: string;
  readonly unset?: string;
  readonly secret?: boolean;
  readonly place?: 'path' | 'store';
  readonly holds?: string;
}

const known = new WeakMap<z.ZodType, readonly ConfigKey[]>();

/**
 * Every key of a schema, in its order. Worked out at first use: importing costs nothing. Throws when two keys have
 * one environment variable, or a key is of a type that the environment cannot give.
 */
export function keysOf(schema: z.ZodType): readonly ConfigKey[] {
  let keys = known.get(schema);
  if (keys) return keys;
  // The shape of what zod generates here is given by the schema: sections of keys and of further sections.
  keys = readSection([], z.toJSONSchema(schema, { io: 'input' }) as unknown as Described);
  const byEnv = new Map<string, string>();
  for (const { env, key } of keys) {
    if (byEnv.has(env)) throw new Error(`${byEnv.get(env)} and ${key} are both ${env} in the environment`);
    byEnv.set(env, key);
  }
  known.set(schema, keys);
  return keys;
}

function readSection(path: readonly string[], { properties = {} }: Described): ConfigKey[] {
  return Object.entries(properties).flatMap(([name, found]) => {
    const inner = [...path, name];
    return found.properties ? readSection(inner, found) : [describe(inner, found)];
  });
}

function describe(path: readonly string[], from: Described): ConfigKey {
  const key = path.join('.');
  const kind = kindOf(key, from);
  const element = kind === 'list' ? from.items : kind === 'record' ? from.additionalProperties : undefined;
  const item = element
    ? { kind: kindOf(key, element), expected: element.expected ?? expectedOf(element) }
    : undefined;
  return {
    key,
    path,
    env: environmentName(path),
    type: typeOf(kind, from),
    kind,
    default: from.default,
    unset: from.unset ?? 'none',
    description: from.description ?? '',
    expected: from.expected ?? expectedOf(from, item?.expected),
    item,
    secret: from.secret ?? false,
    place: from.place,
    holds: from.holds,
  };
}

const KINDS: Readonly<Record<string, KeyKind>> = {
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  string: 'text',
  array: 'list',
  object: 'record',
};

function kindOf(key: string, { type = '' }: Described): KeyKind {
  const kind = KINDS[type];
  if (!kind) throw new Error(`${key} is of a type that no environment variable can give`);
  return kind;
}

function typeOf(kind: KeyKind, { minimum, maximum, enum: choices }: Described): string {
  if (kind === 'integer' || kind === 'number') return `${kind} ${minimum ?? ''}…${maximum ?? ''}`;
  return kind === 'boolean' ? 'true, false' : (choices?.join(', ') ?? kind);
}

function expectedOf({ type, minimum, maximum, enum: choices }: Described, ofItems?: string): string {
  switch (type) {
    case 'integer':
    case 'number': {
      const [from, to] = [
        minimum === undefined ? '' : ` from ${minimum}`,
        maximum === undefined ? '' : ` to ${maximum}`,
      ];
      return `${type === 'integer' ? 'an integer' : 'a number'}${from}${to}`;
    }
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list, of which each is ${ofItems}`;
    case 'object':
      return `an object, of which each value is ${ofItems}`;
    default:
      return choices ? `one of ${choices.join(', ')}` : 'a text';
  }
}

/** `LARS_LISTEN_MAX_CONNECTIONS` of `listen.maxConnections`. */
function environmentName(path: readonly string[]): string {
  return `LARS_${path.join('_').replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** Key, environment variable, type, default and description of everything that can be configured. */
export function describeConfig(): readonly ConfigKey[] {
  return keysOf(ours);
}

const COLUMNS = ['key', 'environment', 'type', 'default', 'meaning'];

/** A table of keys in Markdown, as the README has it. `columns`: its five titles. */
export function configTable(
  keys: readonly ConfigKey[] = describeConfig(),
  columns: readonly string[] = COLUMNS,
): string {
  const rows = keys.map(({ key, env, type, default: byDefault, unset, description }) => {
    const text = typeof byDefault === 'object' ? JSON.stringify(byDefault) : String(byDefault);
    const shown = byDefault === undefined ? unset : `\`${text}\``;
    return `| \`${key}\` | \`${env}\` | ${type} | ${shown} | ${description} |`;
  });
  return [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...rows].join('\n');
}
