import { type DatabaseServer, startServer } from '../shared/database-server.js';

/** Pages of the database stay in memory, as the server's own default has it. Durability is the default. */
const SERVER_ARGS = ['--innodb-buffer-pool-size=128M', '--innodb-log-file-size=96M'];

/** Starts the database of a benchmark for the time of `use`. */
export async function withDatabase<Result>(use: (db: DatabaseServer) => Promise<Result>): Promise<Result> {
  const db = await startServer({ args: SERVER_ARGS });
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}
