import type * as JetStream from '@nats-io/jetstream';
import type * as Transport from '@nats-io/transport-node';
import { messageOf, ReporterError } from '../../model/errors.js';

/** The packages of NATS, with the versions that npm is to install. */
const VERSIONS = { '@nats-io/transport-node': '3', '@nats-io/jetstream': '3' } as const;

/** The optional packages, once they are there. */
export interface NatsPackages {
  readonly transport: typeof Transport;
  readonly jetstream: typeof JetStream;
}

/** Imports the packages. Rejects with ReporterError CONFIG_INVALID, which says what to install, when one is missing. */
export async function importNats(): Promise<NatsPackages> {
  try {
    return {
      transport: await import('@nats-io/transport-node'),
      jetstream: await import('@nats-io/jetstream'),
    };
  } catch (error) {
    const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
    throw new ReporterError(
      'CONFIG_INVALID',
      `a journal on NATS needs its packages, and they cannot be loaded (${messageOf(error).split('\n', 1)[0]}): ` +
        `install them beside lars-reporter with npm install ${packages.join(' ')}`,
      { cause: error },
    );
  }
}
