import { getSystemErrorName } from 'node:util';
import { messageOf } from '../model/errors.js';

/** What can be read of anything an engine threw. */
export interface Thrown {
  readonly errno?: number;
  readonly code?: string;
  /** The connection, if there is one, is of no use any more. */
  readonly fatal: boolean;
}

/** Reads the fields that errors of the system and of the engines have; a number as `code` becomes a name. */
export function fieldsOf(thrown: unknown): Thrown {
  if (typeof thrown !== 'object' || thrown === null) return { fatal: false };
  const { errno, code, fatal } = thrown as { errno?: unknown; code?: unknown; fatal?: unknown };
  return {
    ...(typeof errno === 'number' ? { errno } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    // lmdb gives the system's error numbers without their names, and its own below zero.
    ...(typeof code === 'number' ? { code: code > 0 ? getSystemErrorName(-code) : `MDB${code}` } : {}),
    fatal: fatal === true,
  };
}

/** Its message. A refused connection to a host of two addresses comes as an AggregateError without one. */
export function textOf(thrown: unknown): string {
  return messageOf(thrown) || (fieldsOf(thrown).code ?? 'unknown error');
}
