import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Config } from '../../config/index.js';
import { type Finding, notice, ok, warning } from '../../model/finding.js';
import { memoryBytes } from '../../model/memory.js';

export interface LimitFacts {
  /** Files that the reporter may have open, its soft limit; undefined where the system does not tell. */
  readonly openFiles: number | undefined;
  /** Whether they are those of the running reporter, or of this command. */
  readonly isReporters: boolean;
  readonly memoryBytes: number;
  readonly cores: number;
  readonly backlog: number | undefined;
}

/** Descriptors for everything but agents. */
const FURTHER_FILES = 400;
const LITTLE_MEMORY = 512 * 2 ** 20;
const SHORT_BACKLOG = 1024;

/** `reporter`: the process that runs, if it is known. */
export function lookAtLimits(config: Config, reporter: number | undefined): Finding[] {
  const ofReporter = reporter === undefined ? undefined : openFilesOf(String(reporter));
  return [
    ...judgeLimits(
      {
        openFiles: ofReporter ?? openFilesOf('self'),
        isReporters: ofReporter !== undefined,
        memoryBytes: memoryBytes(),
        cores: availableParallelism(),
        backlog: numberIn('/proc/sys/net/core/somaxconn'),
      },
      config.listen.maxConnections,
    ),
  ];
}

/** What the limits mean. */
export function* judgeLimits(facts: LimitFacts, maxConnections: number): Generator<Finding> {
  const { openFiles, isReporters, memoryBytes: bytes, cores, backlog } = facts;
  const whose = isReporters ? 'the reporter' : 'a reporter started from this shell';
  if (openFiles !== undefined && openFiles < maxConnections + FURTHER_FILES)
    yield warning(
      'few-open-files',
      `${whose} may open ${openFiles} files, listen.maxConnections is ${maxConnections}: some of these would be refused`,
      `raise the limit to ${maxConnections + FURTHER_FILES} (LimitNOFILE= of the unit, ulimit -n), or lower listen.maxConnections`,
    );
  else if (openFiles !== undefined) yield ok('open-files', `${whose} may open ${openFiles} files`);
  const mib = Math.floor(bytes / 2 ** 20);
  const isLimited = bytes < totalmem();
  yield ok('memory', `${mib} MiB of memory${isLimited ? ' (a limit of its group)' : ''}, ${cores} cores`);
  if (bytes < LITTLE_MEMORY)
    yield notice(
      'little-memory',
      `${mib} MiB of memory: fewer keys can be pending while the database is away`,
      'docs/operations.md#sizing says what a site needs',
    );
  if (backlog !== undefined && backlog < SHORT_BACKLOG)
    yield notice(
      'short-backlog',
      `net.core.somaxconn is ${backlog}: when many agents connect in one moment, some are refused`,
      'raise it to 4096: original agents that are refused stay silent until they are restarted',
    );
}

function openFilesOf(pid: string): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}

function numberIn(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
