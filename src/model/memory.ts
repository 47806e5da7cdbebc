import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: the machine's, or less where a container has a limit. */
export function memoryBytes(): number {
  // 0 or undefined where there is no limit; Node gives 2^64 for "none" of some kernels.
  const limit = process.constrainedMemory();
  const total = totalmem();
  return limit && limit > 0 ? Math.min(limit, total) : total;
}
