import { pastsIn, piecesOf } from '../../intake/handed-connections.js';
import type { ConnectionPast } from '../../intake/past.js';
import type { StatePiece } from '../../keeper/channel.js';

/**
 * The sections of what one process hands to the next. A part that has something to hand over gets a section here: its
 * name, the version of its form, and what takes it. One that is not known is left alone.
 */
export function handedOver(pieces: readonly StatePiece[]): Map<number, ConnectionPast> {
  return pastsIn(pieces);
}

export function* piecesFor(connections: ReadonlyMap<number, ConnectionPast>): Generator<StatePiece> {
  yield* piecesOf(connections);
}
