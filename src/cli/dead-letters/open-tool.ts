import type { Config } from '../../config/index.js';
import { ReporterError } from '../../model/errors.js';
import type { Address } from '../../model/status.js';
import { adminAddress } from '../admin-client.js';
import { askReporter } from './running.js';
import { openStopped, readStopped } from './stopped.js';
import type { LetterReader, LetterTool } from './tool.js';

/**
 * Locks the journal and works on it directly. When another process holds the lock, that is the reporter: it is asked
 * through its admin HTTP. `admin` names a reporter that is asked in any case.
 */
export function openLetterTool(
  config: Config,
  admin: Address | undefined,
  note: (text: string) => void,
): Promise<LetterTool> {
  return openOr(config, admin, () => openStopped(config.journal.dir, note));
}

/** The same for those who only read, who need not have the right to write the journal. */
export function openLetterReader(config: Config, admin: Address | undefined): Promise<LetterReader> {
  return openOr(config, admin, () => readStopped(config.journal.dir));
}

async function openOr<Tool extends LetterReader>(
  config: Config,
  admin: Address | undefined,
  openJournal: () => Promise<Tool>,
): Promise<Tool | LetterTool> {
  const { token, tls } = config.admin;
  const asked = { token, certificate: tls.cert };
  if (admin) return askReporter({ ...asked, address: admin, journal: undefined });
  try {
    return await openJournal();
  } catch (error) {
    if (!(error instanceof ReporterError) || error.code !== 'JOURNAL_IN_USE') throw error;
    return askReporter({
      address: adminAddress(config, 'the journal is in use, and '),
      ...asked,
      journal: config.journal.dir,
    });
  }
}
