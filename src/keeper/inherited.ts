const FIRST_FD = 3;
const NAMES = ['agents', 'admin', 'agents-tls'];

/**
 * The sockets that whoever started this process has bound for it (systemd's `LISTEN_FDS`), by the name of their port:
 * as `LISTEN_FDNAMES` says, where it names `agents`, `admin` or `agents-tls`; else the first is of agents, the second of
 * the admin HTTP, the third of agents with TLS. None when they are meant for another process.
 */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): ReadonlyMap<string, number> {
  const { LISTEN_FDS: fds, LISTEN_PID: owner, LISTEN_FDNAMES: names = '' } = env;
  const count = Number(fds ?? 0);
  const found = new Map<string, number>();
  if (!Number.isInteger(count) || count < 1 || (owner !== undefined && Number(owner) !== pid)) return found;
  const named = names.split(':');
  const isNamed = named.some((name) => NAMES.includes(name));
  for (let index = 0; index < count; index++) {
    const name = isNamed ? named[index] : NAMES[index];
    if (name !== undefined && NAMES.includes(name) && !found.has(name)) found.set(name, FIRST_FD + index);
  }
  return found;
}
