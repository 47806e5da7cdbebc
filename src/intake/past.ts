import type { Socket } from 'node:net';

/** What is known of a connection that another process has read before. */
export interface ConnectionPast {
  /** The peer's address, as a balancer told it; undefined as long as it has not. */
  readonly peer?: string | undefined;
  /** Nobody knows whether a balancer has told. */
  readonly isUncertain?: boolean;
  /** Read there, and of no whole frame. */
  readonly rest: Buffer;
  /** Nobody knows where in a frame it stands: the next one must be found. */
  readonly isSearching: boolean;
  /** Bytes in which it was looked for, and which belong to no frame. */
  readonly skippedBytes: number;
  /** Good frames came of it. */
  readonly isTrusted: boolean;
  /** Frames in a row that could not be decoded. */
  readonly badFrames: number;
}

/** Of a connection that nobody has read. */
export const NO_PAST: ConnectionPast = {
  rest: Buffer.alloc(0),
  isSearching: false,
  skippedBytes: 0,
  isTrusted: false,
  badFrames: 0,
};

/**
 * Of a connection whose reader has ended without a word. A peer that sent good frames is believed to go on with one;
 * one that never did must stand at the beginning of a frame, or it is closed as any other that sends what is none.
 */
export function pastOfLost(isTrusted: boolean, peer?: string): ConnectionPast {
  return { ...NO_PAST, isSearching: isTrusted, isTrusted, peer };
}

/** What a paused stream has read into its buffer: it goes on reading until that is full. */
export function buffered(socket: Socket): Buffer[] {
  const pieces: Buffer[] = [];
  for (let piece: Buffer | null = socket.read(); piece !== null; piece = socket.read()) pieces.push(piece);
  return pieces;
}
