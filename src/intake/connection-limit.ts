/** For the admin HTTP, the store, the journal, and files of the process itself. */
const RESERVED_FILES = 400;

/**
 * How many connections of agents there may be. Without a descriptor left the system accepts a connection and closes
 * it, and nobody is told; the admin HTTP would be silent, too. So some descriptors are kept for other purposes, and
 * what is beyond is refused, counted and logged. At least half of the descriptors are for agents.
 */
export function connectionLimit(maxConnections: number, openFiles: number | undefined): number {
  if (openFiles === undefined) return maxConnections;
  const reserved = Math.min(RESERVED_FILES, Math.floor(openFiles / 2));
  return Math.max(1, Math.min(maxConnections, openFiles - reserved));
}
