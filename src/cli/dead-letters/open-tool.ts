import type { Config } from '../../config/index.js';
import { ReporterError } from '../../model/errors.js';
import type { Address } from '../../model/status.js';
import { adminAddress } from '../admin-client.js';
import { askReporter } from './running.js';
import { openStopped } from './stopped.js';
import type { LetterTool } from './tool.js';

/**
 * Locks the journal and works on it directly. When another process holds the lock, that is the reporter: it is asked
 * through its admin HTTP. `admin` names a reporter that is asked in any case.
 */
export async function openLetterTool(
  config: Config,
  admin: Address | undefined,
  note: (text: string) => void,
): Promise<LetterTool> {
  const { token } = config.admin;
  if (admin) return askReporter({ address: admin, token, journal: undefined });
  try {
    return await openStopped(config.journal.dir, note);
  } catch (error) {
    if (!(error instanceof ReporterError) || error.code !== 'JOURNAL_IN_USE') throw error;
    return askReporter({
      address: adminAddress(config, 'the journal is in use, and '),
      token,
      journal: config.journal.dir,
    });
  }
}
