import type { StatePiece } from '../keeper/channel.js';
import type { ConnectionPast } from './past.js';

/** Name and version of the section; see "Hand-over" in docs/architecture.md. */
const SECTION = 'connections';
const VERSION = 1;
/** Bytes of streams in one piece, about: what lies in the keeper at a time. */
const PIECE_BYTES = 262_144;
/** What a connection takes without any. */
const ENTRY_BYTES = 64;

/** A connection as it travels. */
interface Entry {
  readonly id: number;
  /** Base64. */
  readonly rest: string;
  readonly isSearching: boolean;
  readonly skippedBytes: number;
  readonly isTrusted: boolean;
  readonly badFrames: number;
  readonly peer?: string | undefined;
  readonly isUncertain?: boolean;
}

/** What a process knew of its connections, in pieces for the next one. */
export function* piecesOf(pasts: ReadonlyMap<number, ConnectionPast>): Generator<StatePiece> {
  let entries: Entry[] = [];
  let bytes = 0;
  const piece = (): StatePiece => ({ section: SECTION, version: VERSION, data: entries });
  for (const [id, { rest, ...known }] of pasts) {
    entries.push({ id, rest: rest.toString('base64'), ...known });
    bytes += rest.length + ENTRY_BYTES;
    if (bytes < PIECE_BYTES) continue;
    yield piece();
    entries = [];
    bytes = 0;
  }
  yield piece();
}

/**
 * The connections in what a process before has given. Throws when they are of a version that is not known here: to read
 * on without them would take what is in the middle of a frame for its beginning.
 */
export function pastsIn(pieces: readonly StatePiece[]): Map<number, ConnectionPast> {
  const pasts = new Map<number, ConnectionPast>();
  for (const { section, version, data } of pieces) {
    if (section !== SECTION) continue;
    if (version !== VERSION)
      throw new Error(`connections of version ${version} were handed over, known is version ${VERSION}`);
    for (const { id, rest, ...known } of data as readonly Entry[])
      pasts.set(id, { ...known, rest: Buffer.from(rest, 'base64') });
  }
  return pasts;
}
