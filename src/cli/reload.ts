import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { messageOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { adminAddress, askAdmin, objectIn, placeOf } from './admin-client.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import { addressOption } from './target.js';
import { EXIT_FAILED, EXIT_USAGE, type Terminal } from './terminal.js';

interface ReloadOptions extends CommonOptions {
  readonly admin?: Address;
}

/** What the reporter answers, as far as it is of interest. */
interface Answered {
  readonly outcome?: string;
  readonly changes?: readonly { readonly key: string; readonly how: string }[];
  readonly error?: string;
}

const HAND_OVER_MS = 60_000;
const LOOK_MS = 100;
const ANSWER_MS = 5000;

/** `lars-reporter reload`: has a running reporter read its configuration again. */
export function reloadCommand(terminal: Terminal): Command {
  return commandWith(
    'Has a running reporter read its configuration again, as SIGHUP does. What can change in place does; for the rest\n' +
      'a new process takes over, with every connection. A bad file changes nothing. To change admin.token, give the old\n' +
      'one in LARS_ADMIN_TOKEN; SIGHUP needs none, and no certificate.\n' +
      'Exit code: 0 done, 1 not done, 2 the configuration is unusable.',
    'lars-reporter reload --config /etc/lars-reporter/config.json',
  )
    .option(
      '--admin <host:port>',
      'ask the reporter there (default: admin of the configuration)',
      addressOption,
    )
    .action((options: ReloadOptions) => reload(options, terminal));
}

/** The admin HTTP of the reporter that a configuration describes. */
export async function askReload(
  method: 'GET' | 'POST',
  options: ReloadOptions,
  terminal: Terminal,
): Promise<Answered & { readonly status: number; ask(path: string): Promise<string> }> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const address = options.admin ?? adminAddress(config);
  const { token, tls } = config.admin;
  const asked = { address, token, certificate: tls.cert };
  try {
    const { status, text } = await askAdmin({ ...asked, method, path: '/api/reload' });
    const answer: Answered = objectIn(text) ?? { error: `it answers ${status}` };
    const ask = async (path: string) =>
      (await askAdmin({ ...asked, method: 'GET', path, idleMs: ANSWER_MS })).text;
    return { ...answer, status, ask };
  } catch (error) {
    throw new Error(`the reporter at ${placeOf(address)} cannot be asked: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function reload(options: ReloadOptions, terminal: Terminal): Promise<void> {
  const before = pidIn(await askReload('GET', options, terminal).then(({ ask }) => ask('/api/status')));
  const { outcome, changes = [], error, ask } = await askReload('POST', options, terminal);
  if (error !== undefined) {
    terminal.note(`error: ${error}`);
    terminal.exitCode = outcome === 'invalid' ? EXIT_USAGE : EXIT_FAILED;
    return;
  }
  for (const { key } of changes) terminal.print(`${key} has changed`);
  if (outcome !== 'hand-over') {
    terminal.print(outcome === 'unchanged' ? 'nothing has changed' : 'changed in place');
    return;
  }
  const deadlineMs = performance.now() + HAND_OVER_MS;
  while (performance.now() < deadlineMs) {
    const after = await ask('/api/status').catch(() => '');
    const pid = pidIn(after);
    if (pid !== undefined && pid !== before && after.includes('"state":"running"')) {
      terminal.print(`a new process has taken over: ${pid}`);
      return;
    }
    await sleep(LOOK_MS);
  }
  terminal.note('error: no new process has taken over; the log of the reporter says why');
  terminal.exitCode = EXIT_FAILED;
}

function pidIn(text: string): number | undefined {
  return (objectIn(text) as { readonly pid?: number } | undefined)?.pid;
}
