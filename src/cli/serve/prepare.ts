import type { Config } from '../../config/index.js';
import { BACKLOG } from '../../intake/transport.js';
import type { KeeperLink } from '../../keeper/link.js';
import { agentPorts } from '../../node/agent-ports.js';
import { importPackages } from '../../observe/telemetry/packages.js';
import { openStore } from '../../store/open.js';

/**
 * What a successor has to find in order before the process that reads lets go: its ports, the store, and the
 * packages of OpenTelemetry. Rejects with
 * what is not. Nothing is changed.
 */
export async function prepare(config: Config, link: KeeperLink): Promise<void> {
  const { listen, admin, store: settings, telemetry } = config;
  if (telemetry.otlpUrl !== undefined) await importPackages();
  const { plain, secure } = agentPorts(listen);
  await link.bind('agents', plain, BACKLOG);
  if (secure) await link.bind('agents-tls', secure, BACKLOG);
  const { handle } = await link.bind('admin', { host: admin.host, port: admin.port }, BACKLOG);
  // It is asked for again when there is something to listen for.
  handle?.close();
  const store = openStore(settings.url, settings);
  try {
    await store.check();
  } finally {
    await store.close();
  }
}
