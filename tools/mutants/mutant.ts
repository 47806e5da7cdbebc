import { ToolError } from '../shared/tool.js';

/** A change of one place of the source, which must be there exactly once. */
export interface Edit {
  /** From the project's folder. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Tests that are run of one file. */
export interface TestSelection {
  /** From the project's folder, without `.ts`. */
  readonly file: string;
  /** AVA's patterns of titles; all tests unless given. */
  readonly titles?: readonly string[];
  /** It is run on this database instead of the machine's MariaDB, or with servers of NATS. */
  readonly server?: 'mysql' | 'nats';
}

/** The service with one guarantee broken on purpose. */
export interface Mutant {
  readonly name: string;
  /** What goes wrong with it, in one sentence. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Where it is to be noticed. */
  readonly tests: readonly TestSelection[];
}

/** The list of mutants, or what it relies on, is not as it should be. The message names what and where. */
export class ListError extends ToolError {
  override name = 'ListError';
}

/** The text with its change. Throws ListError when the fragment is not there exactly once. */
export function applied(text: string, { name }: Mutant, { file, find, replace }: Edit): string {
  const times = text.split(find).length - 1;
  if (times !== 1)
    throw new ListError(
      `${name}: its fragment stands ${times} times in ${file}, it must be there once: ${JSON.stringify(find)}`,
    );
  return text.replace(find, () => replace);
}
