import { deadLetterRoutes } from '../admin/dead-letters.js';
import { startAdmin } from '../admin/http.js';
import { pageRoutes } from '../admin/page.js';
import { errorOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import type { DeadLetterCounter } from './dead-letters.js';
import type { Foundation } from './foundation.js';

/**
 * Serves the admin HTTP. `isAsked`: the host said something about it, so that it cannot do without; then this rejects
 * with ReporterError LISTEN_FAILED where the address is taken. Else null.
 */
export async function serveAdmin(
  { config, events, logger, metrics, status, teardown }: Foundation,
  letters: DeadLetterCounter,
  isAsked: boolean,
): Promise<Address | null> {
  try {
    const admin = await startAdmin({
      ...config.admin,
      ...{ status: () => status.read(), metrics, logger },
      routes: [...deadLetterRoutes(() => (letters.isOpen ? letters : undefined)), ...pageRoutes()],
    });
    teardown.add('the admin HTTP', () => admin.close());
    events.emit({ type: 'admin-listening', ...admin.address });
    return admin.address;
  } catch (error) {
    if (isAsked) throw error;
    events.emit({ type: 'admin-unavailable', error: errorOf(error) });
    return null;
  }
}
