import { InvalidArgumentError } from 'commander';
import type { Config } from '../config/index.js';
import { parseIpv4 } from '../model/ipv4.js';
import type { Address } from '../model/status.js';
import { strictInteger } from './numbers.js';
import { UsageError } from './terminal.js';

/** Where the configured reporter is reached from its own machine. Throws UsageError when its port is any free one. */
export function listenAddress({ listen: { host, port } }: Config): Address {
  return reached('listen', host, port);
}

/** As `listenAddress`, with TLS. Throws UsageError when it speaks none, too. */
export function secureAddress({ listen: { host, tls } }: Config): Address {
  if (tls.port === undefined)
    throw new UsageError('listen.tls.port is not set: name the reporter with --to HOST:PORT');
  return reached('listen.tls', tls.host ?? host, tls.port);
}

function reached(section: 'listen' | 'listen.tls', host: string, port: number): Address {
  if (port === 0) {
    throw new UsageError(
      `${section}.port is 0, so the port of the reporter is not known: name it with --to HOST:PORT`,
    );
  }
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}

/** Reads an option's `HOST:PORT`; an IPv6 host stands in brackets. */
export function addressOption(text: string): Address {
  const parts = /^(?:\[([^\]]+)\]|([^:\s]+)):([^:]*)$/.exec(text);
  const port = strictInteger(parts?.[3] ?? '', 1, 65535);
  if (!parts || port === undefined) {
    throw new InvalidArgumentError('Expected HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:7779.');
  }
  return { host: (parts[1] ?? parts[2])!, port };
}

/** Reads an option's IPv4 address. */
export function ipOption(text: string): number {
  const ip = parseIpv4(text);
  if (ip === undefined) throw new InvalidArgumentError('Expected an IPv4 address such as 10.0.0.9.');
  return ip;
}
