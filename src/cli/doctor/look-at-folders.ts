import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../config/index.js';
import { critical, type Finding, notice, ok, warning } from '../../model/finding.js';
import { readStoreAddress } from '../../store/address.js';
import { seen } from './seen.js';

/** A folder of the reporter, and what is known of where it lies. */
export interface FolderFacts {
  /** Key of the configuration. */
  readonly key: string;
  readonly dir: string;
  /** It, or where it is missing the folder it would be made in. */
  readonly existing: string;
  readonly isFolder: boolean;
  /** By this user. */
  readonly isWritable: boolean;
  /** `f_type` of statfs. */
  readonly fileSystem: number;
  readonly freeBytes: number;
  readonly freeFiles: number;
}

type Kind = readonly [name: string, judgement: 'lost' | 'container' | 'network' | 'copying'];

/** File systems on which a journal or a store is worse off than on a plain disk. */
const FILE_SYSTEMS: ReadonlyMap<number, Kind> = new Map([
  [0x01021994, ['tmpfs', 'lost']],
  [0x858458f6, ['ramfs', 'lost']],
  [0x794c7630, ['overlay', 'container']],
  [0x6969, ['NFS', 'network']],
  [0xff534d42, ['CIFS', 'network']],
  [0xfe534d42, ['SMB', 'network']],
  [0x01021997, ['9p', 'network']],
  [0x65735546, ['FUSE', 'network']],
  [0x9123683e, ['btrfs', 'copying']],
  [0x2fc12fc1, ['ZFS', 'copying']],
]);

const GIB = 2 ** 30;
const LITTLE_BYTES = GIB;
const TOO_LITTLE_BYTES = 64 * 2 ** 20;
const LITTLE_FILES = 100;

const WITHOUT_ROOM = 'on a full disk the history stops, and plots get gaps';

/** The folders that a configuration names. */
export function* lookAtFolders({ journal, store, history }: Config): Generator<Finding> {
  const address = readStoreAddress(store.url);
  const folders: [key: string, dir: string][] = [
    ['journal.dir', journal.dir],
    ...(address.kind === 'embedded' ? ([['store.url', address.dir]] as [string, string][]) : []),
  ];
  for (const [key, dir] of folders) yield* judgeFolder(factsOf(key, path.resolve(dir)));
  if (history.enabled)
    yield* judgeHistory(factsOf('history.dir', path.resolve(history.dir)), history.maxBytes);
}

/**
 * As of any folder, but nothing is critical: the reporter works without its history. It may grow to `maxBytes`, what
 * its file takes already included.
 */
export function* judgeHistory(facts: FolderFacts, maxBytes: number): Generator<Finding> {
  for (const finding of judgeFolder(facts))
    yield {
      ...finding,
      ...(finding.severity === 'critical' ? { severity: 'warning' as const } : {}),
      ...(finding.code === 'disk-full' ? { advice: `make room: ${WITHOUT_ROOM}` } : {}),
    };
  const bytes = seen(path.join(facts.dir, 'data.mdb'))?.size ?? 0;
  if (facts.freeBytes + bytes < maxBytes)
    yield notice(
      'history-larger-than-disk',
      `${facts.key}: history.maxBytes is ${(maxBytes / GIB).toFixed(1)} GiB, and ${(facts.freeBytes / GIB).toFixed(1)} GiB are free`,
      `lower history.maxBytes, or make room: ${WITHOUT_ROOM}`,
    );
}

function factsOf(key: string, dir: string): FolderFacts {
  let existing = dir;
  while (!seen(existing) && path.dirname(existing) !== existing) existing = path.dirname(existing);
  const { type, bavail, bsize, ffree, files } = statfsSync(existing);
  return {
    ...{ key, dir, existing, fileSystem: type },
    isFolder: statSync(existing).isDirectory(),
    isWritable: canWrite(existing),
    freeBytes: bavail * bsize,
    // Some file systems make files as they need them, and count none.
    freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree,
  };
}

function canWrite(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the facts of a folder mean. */
export function* judgeFolder(facts: FolderFacts): Generator<Finding> {
  const { key, dir, existing, isFolder, isWritable, fileSystem, freeBytes, freeFiles } = facts;
  const free = `${(freeBytes / GIB).toFixed(1)} GiB free`;
  if (!isFolder)
    yield critical(
      'no-folder',
      `${key}: ${existing} is no folder`,
      'name a folder, or remove what is in the way',
    );
  else if (!isWritable && existing !== dir)
    yield critical(
      'folder-not-writable',
      `${key}: ${dir} is not there, or may not be seen, and ${existing} may not be written by this user`,
      'make it and chown it to the user of the reporter, or name a folder by its whole path; run doctor as that user (sudo -u lars)',
    );
  else if (!isWritable)
    yield critical(
      'folder-not-writable',
      `${key}: ${existing} may not be written by this user`,
      `chown it to the user of the reporter; run doctor as that user (sudo -u lars)`,
    );
  else yield ok('folder', `${key}: ${dir}${existing === dir ? '' : ', to be made'}, ${free}`);
  yield* judgeFileSystem(facts, FILE_SYSTEMS.get(fileSystem >>> 0));
  if (freeBytes < TOO_LITTLE_BYTES || freeFiles < LITTLE_FILES)
    yield critical(
      'disk-full',
      `${key}: the disk of ${existing} has ${free}, ${freeFiles} files`,
      'make room: a journal that cannot grow takes no reports',
    );
  else if (freeBytes < LITTLE_BYTES)
    yield warning(
      'disk-small',
      `${key}: the disk of ${existing} has ${free}`,
      'make room, or watch it closely',
    );
}

function* judgeFileSystem({ key, existing }: FolderFacts, kind: Kind | undefined): Generator<Finding> {
  if (!kind) return;
  const [name, judgement] = kind;
  const where = `${key}: ${existing} is on ${name}`;
  switch (judgement) {
    case 'lost':
      yield critical('folder-in-memory', `${where}, which is lost at a reboot`, 'put it on a disk');
      break;
    case 'container':
      yield warning(
        'folder-in-container',
        `${where}, which is lost with the container`,
        'mount a volume there, or name a folder that is on one',
      );
      break;
    case 'network':
      yield critical(
        'folder-on-network',
        `${where}: its locks and its memory maps are not those of a disk`,
        'put it on a disk of this machine: two machines could write one journal',
      );
      break;
    case 'copying':
      yield notice(
        'folder-copy-on-write',
        `${where}, which writes each block to a new place: a full disk may end the process`,
        'nothing that was journaled is lost by it; ext4 or XFS do better',
      );
  }
}
