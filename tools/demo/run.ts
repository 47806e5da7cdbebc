import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CliProcess, startServe } from '../shared/process.js';
import { note, numberOf, optionsOf, runTool, ToolError } from '../shared/tool.js';

const HELP = `A reporter with its page to look at: 200 agents that behave like real ones, over real sockets, and services
that go bad and recover. Everything is in a temporary folder and gone at the end (Ctrl-C).

  --admin-port N   where the page is served (default: any free port)
  --seconds N      end by itself after so long (default: 0, not before Ctrl-C)
`;

/** What is called how. The last one shows that a name is only text. */
const NAMES = {
  '4242/1': 'feed',
  '4242/2': 'feed write',
  '4242/3': 'session',
  '4242/4': 'search',
  '4242/5': 'gift',
  '4242/6': 'push',
  '4242/7': 'rank',
  '310/1': 'billing',
  '310/2': 'invoice',
  '77': 'batch jobs',
};

/** Machines, what they call, and what is wrong there. */
const SWARMS: readonly (readonly string[])[] = [
  [
    ...['--agents', '120', '--services', '7', '--hosts', '8', '--rate', '500', '--modid-base', '4242'],
    ...['--first-caller', '10.9.0.1', '--sick-host', '2,service=1,from=20s'],
    ...['--flap', 'all,service=4,on=2m,off=5m,from=1m', '--flap', '3,service=5,on=90s,off=3m,from=40s'],
    ...['--flap', 'all@0.15,service=6,on=3m,off=4m,from=30s', '--silence', '118-119,from=2m'],
    ...['--clock-skew', '5@42s', '--withdraw', '8,service=2,from=90s'],
  ],
  [
    ...['--agents', '20', '--services', '2', '--hosts', '5', '--rate', '30', '--modid-base', '310'],
    ...['--first-caller', '10.9.1.1', '--sick-caller', '4,from=30s'],
  ],
  [
    ...['--agents', '60', '--services', '24', '--hosts', '4', '--rate', '200', '--modid-base', '77'],
    ...['--first-caller', '10.9.2.1'],
  ],
];

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2), {
    'admin-port': { type: 'string', default: '0' },
    seconds: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  });
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const port = numberOf('--admin-port', options['admin-port'], { from: 0, to: 65_535 });
  const seconds = numberOf('--seconds', options.seconds, { from: 0, to: 86_400 });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lars-demo-'));
  const processes: CliProcess[] = [];
  try {
    const { cli, ready } = await startServe([], { cwd: folder, env: environment(folder, port) });
    processes.push(cli);
    if (!ready.admin) throw new ToolError(`port ${port} is taken: choose another one with --admin-port`);
    const to = ['--to', `127.0.0.1:${ready.listen.port}`];
    for (const swarm of SWARMS)
      processes.push(
        new CliProcess(['simulate', '--behaviour', 'agent', '--duration', '0', ...to, ...swarm], {
          cwd: folder,
        }),
      );
    process.stdout.write(`http://${ready.admin.host}:${ready.admin.port}/\n`);
    note('200 agents report; the first service goes bad in half a minute. Ctrl-C ends it.');
    await Promise.race([ended(seconds), ...processes.map(endedBadly)]);
    return 0;
  } finally {
    for (const each of processes.reverse()) await each.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function environment(folder: string, port: number): NodeJS.ProcessEnv {
  return {
    LARS_LISTEN_HOST: '127.0.0.1',
    LARS_LISTEN_PORT: '0',
    LARS_ADMIN_PORT: String(port),
    LARS_JOURNAL_DIR: path.join(folder, 'journal'),
    LARS_STORE_URL: `embedded:${path.join(folder, 'store')}`,
    LARS_LOG_LEVEL: 'warn',
    LARS_NAMES: JSON.stringify(NAMES),
  };
}

/** Ctrl-C, or the time is over. */
function ended(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
    if (seconds > 0) setTimeout(resolve, seconds * 1000).unref();
  });
}

async function endedBadly(cli: CliProcess): Promise<void> {
  const { code, stderr } = await cli.exited;
  if (code !== 0 && code !== null) throw new ToolError(`a part of the demo ended: ${stderr.trim()}`);
}

await runTool(main);
