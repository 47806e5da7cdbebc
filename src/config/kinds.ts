import { isIP } from 'node:net';
import { z } from 'zod';
import { blockProblem } from '../model/blocks.js';
import { pathProblem } from './values.js';

/** What keys of the schema are made of. */

/** What the schema holds of a key beyond zod's own; `keys.ts` reads it. */
export interface KeyMeta {
  /** What to write instead of an unusable value, when the type alone does not tell it. */
  readonly expected?: string;
  /** What is in force when the key is not set, in a word or two. */
  readonly unset?: string;
  /** Never printed. */
  readonly secret?: boolean;
  /** A path, or a store's address: relative paths are resolved. */
  readonly place?: 'path' | 'store';
  /** The secret that the file of this path holds: a key, or of a store's address its password. */
  readonly holds?: string;
  [more: string]: unknown;
}

export const DAY_MS = 86_400_000;
export const GIB = 1_073_741_824;

export const integer = (min: number, max: number, byDefault: number, description: string) =>
  z.int().min(min).max(max).default(byDefault).describe(description);

/** A text that `problemOf` finds nothing wrong with. */
export const text = (problemOf: (value: string) => string | undefined) =>
  z
    .string()
    .min(1)
    .superRefine((value, context) => {
      const problem = value === '' ? undefined : problemOf(value);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    });

/** The path of a file; none unless given. */
export const file = (description: string, more: KeyMeta = {}) =>
  text(pathProblem)
    .optional()
    .describe(description)
    .meta({ place: 'path', expected: 'the path of a file', ...more } satisfies KeyMeta);

export const secretFile = (secret: string, holds: string) =>
  file(
    `File that holds ${secret}; nobody but its user and group may read it. Read again when the configuration is.`,
    { holds },
  );

const hostName = z.string().refine((value) => isIP(value) !== 0 || /^[a-z0-9][a-z0-9_.-]*$/i.test(value));
const HOST = { expected: 'an IP address or a host name, without a port' } satisfies KeyMeta;

export const host = (byDefault: string, description: string) =>
  hostName.default(byDefault).describe(description).meta(HOST);

/** None unless given. */
export const otherHost = (unset: string, description: string) =>
  hostName
    .optional()
    .describe(description)
    .meta({ ...HOST, unset } satisfies KeyMeta);

export const blocks = (description: string) =>
  z
    .array(text(blockProblem).meta({ expected: 'an address or a CIDR block' } satisfies KeyMeta))
    .default([])
    .describe(description)
    .meta({
      expected: 'a list of addresses or CIDR blocks, such as ["10.0.0.0/8", "fd00::/8"]',
    } satisfies KeyMeta);

export const perAddress = (max: number, unset: string, description: string) =>
  z
    .int()
    .min(1)
    .max(max)
    .optional()
    .describe(description)
    .meta({ unset: `${unset}; loopback unlimited` } satisfies KeyMeta);
