import { z } from 'zod';
import { schema } from './schema.js';

/** One key of the configuration, as the schema describes it. */
export interface ConfigKey {
  /** `listen.port` */
  readonly key: string;
  /** The environment variable that overrides it: `LARS_LISTEN_PORT`. */
  readonly env: string;
  /** For people, with limits: `integer 0…65535`. */
  readonly type: string;
  readonly kind: 'number' | 'text';
  /** Undefined for a key that is not set by default. */
  readonly default: string | number | undefined;
  readonly description: string;
  /** What an error message asks for: `an integer from 0 to 65535`. */
  readonly expected: string;
  /** Never printed. */
  readonly secret: boolean;
}

/** What `z.toJSONSchema` gives for a key, as far as it is used here. */
interface KeySchema {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly default?: string | number;
  readonly description?: string;
  readonly expected?: string;
  readonly secret?: boolean;
}

let keys: readonly ConfigKey[] | undefined;

/** Every key, in the schema's order. Worked out at first use: importing costs nothing. */
export function knownKeys(): readonly ConfigKey[] {
  keys ??= readKeys();
  return keys;
}

function readKeys(): ConfigKey[] {
  // The shape of what zod generates here is given by the schema: sections of plain keys.
  const { properties } = z.toJSONSchema(schema, { io: 'input' }) as unknown as {
    properties: Record<string, { properties: Record<string, KeySchema> }>;
  };
  return Object.entries(properties).flatMap(([section, { properties }]) =>
    Object.entries(properties).map(([name, key]) => describe(`${section}.${name}`, key)),
  );
}

function describe(key: string, from: KeySchema): ConfigKey {
  const isNumber = from.type === 'integer';
  return {
    key,
    env: environmentName(key),
    type: isNumber ? `integer ${from.minimum}…${from.maximum}` : (from.enum?.join(', ') ?? 'text'),
    kind: isNumber ? 'number' : 'text',
    default: from.default,
    description: from.description ?? '',
    expected: from.expected ?? expectedOf(from),
    secret: from.secret ?? false,
  };
}

function expectedOf(key: KeySchema): string {
  if (key.type === 'integer') return `an integer from ${key.minimum} to ${key.maximum}`;
  return key.enum ? `one of ${key.enum.join(', ')}` : 'a text';
}

/** `LARS_LISTEN_MAX_CONNECTIONS` of `listen.maxConnections`. */
function environmentName(key: string): string {
  return `LARS_${key.replace('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** Key, environment variable, type, default and description of everything that can be configured. */
export function describeConfig(): readonly ConfigKey[] {
  return knownKeys();
}

/** The README's table of all keys, in Markdown. */
export function configTable(): string {
  const rows = knownKeys().map(({ key, env, type, default: byDefault, description }) => {
    const shown = byDefault === undefined ? 'none' : `\`${byDefault}\``;
    return `| \`${key}\` | \`${env}\` | ${type} | ${shown} | ${description} |`;
  });
  return [
    '| key | environment | type | default | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
