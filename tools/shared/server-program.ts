import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A kind of server that can be started, and how that is done. */
export interface ServerProgram {
  readonly flavour: 'mariadb' | 'mysql';
  /** For people: `MySQL` or `MariaDB`. */
  readonly name: string;
  /** What is started; its first argument is `--no-defaults`. */
  readonly file: string;
  /** Arguments of every server: little memory, nothing but what is tested. */
  readonly args: readonly string[];
  /** Makes the system tables below `dir`, in `data`. */
  initialise(dir: string): Promise<void>;
}

const { PATH = '' } = process.env;
const PLACES = [...PATH.split(path.delimiter), '/usr/sbin', '/usr/libexec', '/usr/local/bin'];
const FETCH = fileURLToPath(new URL('../../../tools/shared/fetch-server.sh', import.meta.url));
const FETCHED: readonly string[] = ['mysql', 'mariadb11'];

export const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];

/**
 * The server of the tests. `LARS_TEST_SERVER` names it: `mysql` or `mariadb11`, which are fetched into a cache when
 * they are not there (tools/shared/fetch-server.sh), or the path of a program. The machine's MariaDB unless set.
 */
export function serverProgram(named = process.env['LARS_TEST_SERVER'] ?? ''): ServerProgram {
  if (named === '' || named === 'mariadb') return installedMariadb();
  const file = FETCHED.includes(named) ? fetched(named) : named;
  const version = execFileSync(file, ['--no-defaults', '--version'], { encoding: 'utf8' });
  return /mariadb/i.test(version) ? fetchedMariadb(file) : mysql(file);
}

function fetched(name: string): string {
  return execFileSync('sh', [FETCH, name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}

const SMALL = ['--performance-schema=OFF', '--innodb-buffer-pool-size=32M'];

function mysql(file: string): ServerProgram {
  const args = [
    ...SMALL,
    '--innodb-redo-log-capacity=32M',
    '--secure-file-priv=NULL',
    '--mysqlx=OFF',
    // Tests take a server away and look at what is left; half a second less at each end.
    '--innodb-buffer-pool-dump-at-shutdown=OFF',
    '--innodb-buffer-pool-load-at-startup=OFF',
  ];
  return {
    flavour: 'mysql',
    name: 'MySQL',
    file,
    args,
    async initialise(dir) {
      await run(file, [
        '--no-defaults',
        ...asRoot,
        '--initialize-insecure',
        `--datadir=${path.join(dir, 'data')}`,
        `--tmpdir=${dir}`,
        `--log-error=${path.join(dir, 'initialise')}`,
        ...args,
      ]);
    },
  };
}

/**
 * Arguments for measuring: pages of the database stay in memory, as the server's own default has it; durability is the
 * default, and so is the binary log unless given.
 */
export function benchArgs({ flavour }: ServerProgram, hasBinaryLog?: boolean): string[] {
  const redo = flavour === 'mysql' ? '--innodb-redo-log-capacity=96M' : '--innodb-log-file-size=96M';
  const binaryLog = hasBinaryLog === undefined ? [] : [hasBinaryLog ? '--log-bin' : '--skip-log-bin'];
  return ['--innodb-buffer-pool-size=128M', redo, ...binaryLog, '--server-id=1'];
}

const MARIADB_ARGS = [...SMALL, '--innodb-log-file-size=16M'];

function installedMariadb(): ServerProgram {
  const file = find('mariadbd', 'mysqld');
  return {
    flavour: 'mariadb',
    name: 'MariaDB',
    file,
    args: MARIADB_ARGS,
    async initialise(dir) {
      await run(find('mariadb-install-db', 'mysql_install_db'), [
        '--no-defaults',
        ...asRoot,
        `--datadir=${path.join(dir, 'data')}`,
        `--tmpdir=${dir}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-name-resolve',
        '--innodb-log-file-size=16M',
      ]);
    },
  };
}

/** Its install script would start programs of the machine: the system tables are made from the same files. */
const BOOTSTRAP = [
  'mariadb_system_tables.sql',
  'mariadb_performance_tables.sql',
  'mariadb_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
];

function fetchedMariadb(file: string): ServerProgram {
  return {
    flavour: 'mariadb',
    name: 'MariaDB',
    file,
    args: MARIADB_ARGS,
    async initialise(dir) {
      const share = path.join(path.dirname(file), 'root/usr/share/mariadb');
      const sql = [
        'CREATE DATABASE mysql;',
        'USE mysql;',
        'SET @auth_root_socket=NULL, @skip_auth_anonymous=1;',
        ...BOOTSTRAP.map((name) => readFileSync(path.join(share, name), 'utf8')),
        "DELETE FROM global_priv WHERE User='';",
      ].join('\n');
      const data = path.join(dir, 'data');
      await run('mkdir', ['-p', data]);
      await run(
        file,
        ['--no-defaults', ...asRoot, '--bootstrap', `--datadir=${data}`, `--tmpdir=${dir}`, ...MARIADB_ARGS],
        sql,
      );
    },
  };
}

/** Runs a program to its end; rejects with what it said when that is not a good one. */
async function run(file: string, args: readonly string[], input?: string): Promise<void> {
  if (input === undefined) {
    await promisify(execFile)(file, args);
    return;
  }
  const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${said.slice(-2000)}`);
}

function find(...names: readonly string[]): string {
  for (const name of names)
    for (const place of PLACES) {
      const file = path.join(place, name);
      if (existsSync(file)) return file;
    }
  throw new Error(
    `found none of ${names.join(', ')}; install mariadb-server (sh tools/shared/need.sh mariadb does)`,
  );
}
