import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { TestAuthority } from '../shared/certificates.js';
import { type DatabaseServer, startServer } from '../shared/database-server.js';
import { benchArgs, serverProgram } from '../shared/server-program.js';

export interface BenchServer {
  /** As `serverProgram` takes it. */
  readonly server?: string | undefined;
  /** As the server has it unless given. */
  readonly hasBinaryLog?: boolean | undefined;
}

/** Starts the database of a benchmark for the time of `use`. Who asks for TLS gets it. */
export async function withDatabase<Result>(
  use: (db: DatabaseServer) => Promise<Result>,
  { server, hasBinaryLog }: BenchServer = {},
): Promise<Result> {
  const program = serverProgram(server);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-bench-'));
  try {
    const { cert, key } = new TestAuthority(dir).issue();
    const args = [...benchArgs(program, hasBinaryLog), `--ssl-cert=${cert}`, `--ssl-key=${key}`];
    const db = await startServer({ program, args });
    try {
      return await use(db);
    } finally {
      await db.destroy();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}
