import type { ServerInfo } from '@nats-io/transport-node';
import { ReporterError } from '../../model/errors.js';
import type { NatsPackages } from './nats-packages.js';

/** Servers before 2.9.21 accept two appends under one condition; this is the oldest version that the tests run on. */
export const OLDEST_VERSION = '2.10.27';
/** Entries are cut below it; smaller ones would be cut to crumbs. */
const LEAST_PAYLOAD = 64 * 1024;
const ANSWER_MS = 3000;

/** The part of what a server says of itself that is looked at. */
export type ServerFacts = Pick<ServerInfo, 'server_name' | 'version' | 'max_payload' | 'jetstream'>;

/** Asks each address once for what its server says of itself. Those that do not answer are left out. */
export async function askServers(
  { transport }: NatsPackages,
  addresses: readonly string[],
): Promise<ServerFacts[]> {
  const asked = await Promise.allSettled(
    addresses.map(async (servers) => {
      const client = await transport.connect({ servers, reconnect: false, timeout: ANSWER_MS });
      const facts = client.info;
      await client.close();
      return facts;
    }),
  );
  return asked.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []));
}

/** What keeps a journal from standing on these servers; undefined when nothing does. */
export function problemOf(servers: readonly ServerFacts[]): Error | undefined {
  if (servers.length > 0 && servers.every(({ jetstream }) => jetstream !== true))
    return new ReporterError(
      'JOURNAL_UNUSABLE',
      'no NATS server has JetStream: turn it on in their configuration (jetstream {})',
    );
  return servers.map(problemWith).find((problem) => problem);
}

function problemWith({ server_name, version, max_payload }: ServerFacts): Error | undefined {
  const refuse = (what: string) =>
    new ReporterError('JOURNAL_UNUSABLE', `NATS server ${server_name} ${what}`);
  if (isOlder(version, OLDEST_VERSION))
    return refuse(
      `has version ${version}: it must be ${OLDEST_VERSION} or newer, since older ones let two owners write`,
    );
  if (max_payload < LEAST_PAYLOAD)
    return refuse(`has max_payload ${max_payload}: it must be ${LEAST_PAYLOAD} or more`);
  return undefined;
}

/** Whether a version (`2.10.27`, with or without `-RC.1`) comes before another one. What is no version is older. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  if (!a) return true;
  for (const [index, wanted] of b!.entries()) if (a[index] !== wanted) return a[index]! < wanted;
  return version.includes('-');
}

function numbersOf(version: string): number[] | undefined {
  return /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
}
