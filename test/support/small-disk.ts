import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DatabaseServer } from '../../tools/shared/database-server.js';
import type { ServerProgram } from '../../tools/shared/server-program.js';
import type { Teardown } from './temp.js';

/**
 * MySQL on a disk of `megabytes`: a file system in memory that only the server's process has, which ends with it. A
 * server of it cannot be started again after it has ended.
 *
 * Throws where this process may not make one (it takes root, or a system that lets users have namespaces).
 */
export function onSmallDisk(t: Teardown, mysql: ServerProgram, megabytes: number): ServerProgram {
  const unshare = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-r', '-m'];
  try {
    execFileSync(unshare[0]!, [...unshare.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', os.tmpdir()], {
      stdio: 'pipe',
    });
  } catch (error) {
    throw new Error(
      'this test needs a small file system, and unshare and mount cannot make one here; run it as root',
      {
        cause: error,
      },
    );
  }
  const scripts = mkdtempSync(path.join(os.tmpdir(), 'lars-disk-'));
  t.teardown(() => rmSync(scripts, { recursive: true, force: true }));
  const file = path.join(scripts, 'run');
  const initialise = [...mysql.args, '--initialize-insecure', '--datadir="$data"'].join(' ');
  writeFileSync(
    file,
    `#!/bin/sh
if [ "$LARS_DISK" != made ]; then
  LARS_DISK=made exec ${unshare.join(' ')} sh "$0" "$@"
fi
set -e
for argument; do
  case $argument in --datadir=*) data=\${argument#--datadir=} ;; esac
done
mount -t tmpfs -o size=${megabytes}m tmpfs "$data"
"${mysql.file}" --no-defaults --user=root ${initialise} --log-error="$data.initialise.err"
# In its namespace it is root, whoever has started it.
exec "${mysql.file}" "$@" --user=root
`,
  );
  chmodSync(file, 0o755);
  return {
    ...mysql,
    file,
    // Where the disk is mounted; the rest is done when it is.
    initialise: async (dir) => void execFileSync('mkdir', [path.join(dir, 'data')]),
  };
}

/** A file that takes up room on a server's disk. */
export class Ballast {
  readonly #dir: string;

  /** `dir`: of the server's data, as its process sees it. */
  constructor(server: DatabaseServer, dir: string) {
    this.#dir = `/proc/${server.pid}/root${dir}`;
  }

  /** Leaves so much room. */
  leave(megabytes: number): void {
    const { bavail, bsize } = statfsSync(this.#dir);
    const bytes = Math.max(0, bavail * bsize - megabytes * 1024 * 1024);
    writeFileSync(path.join(this.#dir, 'ballast'), Buffer.alloc(bytes));
  }

  /** Makes all of that room again. */
  drop(): void {
    rmSync(path.join(this.#dir, 'ballast'));
  }
}
