import { networkInterfaces } from 'node:os';

/** An IPv4 address of this machine that is not loopback; undefined where it has no network. */
export function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
}
