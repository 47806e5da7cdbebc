import { Command } from 'commander';

/** What every command takes. */
export interface CommonOptions {
  readonly config?: string;
}

/** A command with `--config` and an example; main.ts gives it name, summary and `--help`. */
export function commandWith(description: string, example: string): Command {
  return new Command()
    .description(description)
    .option('--config <file>', 'configuration file (default: ./config.json, which may be missing)')
    .addHelpText('after', `\nExample:\n  $ ${example}`);
}
