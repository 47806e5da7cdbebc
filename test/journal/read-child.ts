// Reads a journal as a user who owns nothing of it: read-child.js DIR
import { readJournal } from '../../src/journal/open.js';
import { ReporterError } from '../../src/model/errors.js';

const [dir] = process.argv.slice(2) as [string];
// The tests may run as root, who may write anything.
if (process.getuid?.() === 0) process.seteuid?.(65_534);
try {
  const reader = await readJournal(dir);
  let records = 0;
  await reader.survey(0, ({ kind }) => {
    if (kind === 'record') records++;
  });
  await reader.close();
  process.stdout.write(`${records} records`);
} catch (error) {
  if (!(error instanceof ReporterError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}`);
}
