import { type DatabaseServer, startServer } from '../shared/database-server.js';
import { benchArgs, serverProgram } from '../shared/server-program.js';

export interface BenchServer {
  /** As `serverProgram` takes it. */
  readonly server?: string | undefined;
  /** As the server has it unless given. */
  readonly hasBinaryLog?: boolean | undefined;
}

/** Starts the database of a benchmark for the time of `use`. */
export async function withDatabase<Result>(
  use: (db: DatabaseServer) => Promise<Result>,
  { server, hasBinaryLog }: BenchServer = {},
): Promise<Result> {
  const program = serverProgram(server);
  const db = await startServer({ program, args: benchArgs(program, hasBinaryLog) });
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}
