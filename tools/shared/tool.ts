import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf } from '../../src/model/errors.js';

/** A tool cannot go on. Its message is all that a person needs: no stack, no name of a class. */
export class ToolError extends Error {
  override name = 'ToolError';
}

/** A tool was called with something it cannot work with. The message names the option, its value and what it takes. */
export class UsageError extends ToolError {
  override name = 'UsageError';
}

/** One line on stderr. Stdout belongs to a tool's result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The values of a tool's options. Throws UsageError. */
export function optionsOf<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
): ReturnType<typeof parseArgs<{ args: string[]; options: Options }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${messageOf(error).split('. ')[0]}; --help lists the options`);
  }
}

/** What a number must be. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  /** Whether parts of a whole are allowed, too. */
  readonly fraction?: boolean;
}

/** The number an option was given. Throws UsageError. */
export function numberOf(name: string, text: string, { from, to, fraction = false }: NumberRange): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= from && value <= to && (fraction || Number.isInteger(value))) return value;
  throw new UsageError(`${name} ${text}: takes a ${fraction ? '' : 'whole '}number from ${from} to ${to}`);
}

/**
 * Runs a tool to its exit code: what `main` resolves to, 2 for wrong usage, 1 for any other failure, each with a
 * line on stderr.
 *
 * @param endAtOnce ends the process even when something in it is still open
 */
export async function runTool(
  main: () => Promise<number>,
  { endAtOnce = false }: { readonly endAtOnce?: boolean } = {},
): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    note(error instanceof ToolError ? error.message : String(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
  if (endAtOnce) process.exit();
}
