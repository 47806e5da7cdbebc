import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 10_000;
const DEFAULT_EPHEMERAL = 32_768;
const TRIES = 200;

/**
 * A free port that the system never gives to outgoing connections. One of those could take the port while its server
 * is down, or even connect to itself there, and the server could not come back.
 */
export async function steadyPort(random: () => number): Promise<number> {
  const highest = lowestEphemeral();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = LOWEST + Math.floor(random() * (highest - LOWEST));
    if (await isFree(port)) return port;
  }
  throw new Error(`found no free port from ${LOWEST} to ${highest}`);
}

/** Whether a server could be bound to a port of 127.0.0.1 now. */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  } catch {
    return false;
  }
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

function lowestEphemeral(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return DEFAULT_EPHEMERAL;
  }
}
