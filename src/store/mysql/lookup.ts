import { execFile } from 'node:child_process';
import { type LookupAddress, lookup as lookupHere } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

/**
 * Looks names up in a process of its own, the system's `getent`. Node waits for a lookup in its own process before it
 * ends, and one that no name server answers takes ten seconds and more: a stop would take so much longer. Where there is
 * no `getent`, names are looked up here all the same.
 *
 * @param timeoutMs longest a lookup may take
 */
export function lookupApart(timeoutMs: number, command = 'getent'): LookupFunction {
  return (host, options, callback) => {
    const settings = { timeout: timeoutMs, killSignal: 'SIGKILL', windowsHide: true } as const;
    execFile(command, ['ahosts', host], settings, (error, stdout) => {
      // No command, no more processes, or none allowed; an exit code is a number.
      if (typeof error?.code === 'string') return lookupHere(host, options, callback);
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
      const found = addressesIn(stdout).filter((one) => family === 0 || family === one.family);
      const [first] = found;
      if (!first) {
        const reason = error?.killed ? `no answer within ${timeoutMs} ms` : 'it is not known';
        const code = error?.killed ? 'EAI_AGAIN' : 'ENOTFOUND';
        callback(
          Object.assign(new Error(`${code}: the host ${host} cannot be looked up: ${reason}`), { code }),
          '',
        );
      } else if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

/** Addresses stand first on their lines, once for each kind of socket. */
function addressesIn(output: string): LookupAddress[] {
  const addresses = new Set(output.split('\n').map((line) => line.split(/\s/, 1)[0]!));
  return [...addresses]
    .map((address) => ({ address, family: isIP(address) }))
    .filter(({ family }) => family !== 0);
}
