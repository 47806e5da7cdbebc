import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/index.js';
import { critical, type Finding, ok, warning } from '../../model/finding.js';
import { parseIpv4 } from '../../model/ipv4.js';
import type { Address } from '../../model/status.js';
import { placeOf } from '../admin-client.js';

export interface PortFacts {
  /** Section of the configuration: `listen`, `listen.tls` or `admin`. */
  readonly key: string;
  readonly address: Address;
  /** Whether somebody listens on the port. */
  readonly isTaken: boolean;
  /** Whether the reporter runs, as far as is known. */
  readonly isRunning: boolean;
  /** Whether this machine has the address; undefined for a name. */
  readonly isOurs: boolean | undefined;
  /** The first port that every user may bind. */
  readonly firstFreePort: number;
  readonly isRoot: boolean;
}

/**
 * The addresses the reporter binds. Nothing is bound here: an agent that connects in that moment would be cut off, and
 * original agents do not come back.
 */
export function lookAtPorts(config: Config, isRunning: boolean): Finding[] {
  const taken = listeningPorts();
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)),
  );
  const { listen, admin } = config;
  const { tls } = listen;
  const places = [
    { key: 'listen', host: listen.host, port: listen.port },
    ...(tls.port === undefined ? [] : [{ key: 'listen.tls', host: tls.host ?? listen.host, port: tls.port }]),
    { key: 'admin', host: admin.host, port: admin.port },
  ];
  return places.flatMap(({ key, host, port }) => {
    return [
      ...judgePort({
        ...{ key, address: { host, port }, isRunning },
        isTaken: taken.has(port),
        isOurs: isIP(host) === 0 ? undefined : isWildcard(host) || isLoopback(host) || own.has(host),
        firstFreePort: numberIn('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1024,
        isRoot: process.getuid?.() === 0,
      }),
    ];
  });
}

/** What the facts of a port mean. */
export function* judgePort(facts: PortFacts): Generator<Finding> {
  const { key, address, isTaken, isRunning, isOurs, firstFreePort, isRoot } = facts;
  const { port } = address;
  const place = placeOf(address);
  if (isOurs === false)
    yield critical(
      'address-not-ours',
      `${key}: no interface of this machine has the address of ${place}`,
      `name one of its own in ${key}.host, or 0.0.0.0 for all`,
    );
  if (port > 0 && port < firstFreePort && !isRoot)
    yield warning(
      'port-of-root',
      `${key}: only root may bind port ${port}`,
      `name a port from ${firstFreePort} on in ${key}.port, or let systemd bind it (deploy/systemd/lars-reporter.socket)`,
    );
  if (isTaken === isRunning || port === 0)
    yield ok('port', `${key}: ${place} is ${isTaken ? 'served' : 'free'}`);
  else if (isTaken)
    yield critical(
      'port-taken',
      `${key}: somebody listens on port ${port}, and no reporter answers`,
      `ss -ltnp 'sport = :${port}' names the process`,
    );
  else
    yield warning(
      'port-not-served',
      `${key}: nobody listens on port ${port}, though a reporter runs`,
      'was it started with this configuration? lars-reporter check --diff says what has changed since',
    );
}

const LISTENING = '0A';

/** Ports on which somebody listens, whatever the address; none where the system does not tell. */
function listeningPorts(): Set<number> {
  const ports = new Set<number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue;
    }
    // sl, local_address, rem_address, st, …
    for (const [, port = '', state] of text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm))
      if (state === LISTENING) ports.add(Number.parseInt(port, 16));
  }
  return ports;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === '::1' || (parseIpv4(host) ?? 0) >>> 24 === 127;
}

function numberIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
