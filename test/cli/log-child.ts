// Logs many lines, says in a file that it is through with them, and ends when its log has been read.
import { writeFileSync } from 'node:fs';
import { createLog } from '../../src/cli/log.js';
import { until } from '../../src/testing/until.js';

const [file, count] = process.argv.slice(2) as [string, string];
const log = await createLog('info');
for (let line = 0; line < Number(count); line++) {
  log.logger.info({ line }, 'one of many lines, of which none may hold up the process that writes it');
  // Outlets write between turns, too.
  if (line % 100 === 0) await new Promise(setImmediate);
}
writeFileSync(file, '');
// The parent says when it has begun to read.
process.stdin.once('data', () => process.stdin.destroy());
await until(() => process.stdin.destroyed, { boundMs: 60_000, what: 'the log to be read' });
await log.close();
process.exit();
