// Takes a lock, says so, and holds it until it is killed: lock-child.js HOW FILE
import { createRequire } from 'node:module';
import { lockJournal } from '../../src/lmdb/lock.js';
import { ReporterError } from '../../src/model/errors.js';

const [how, file] = process.argv.slice(2) as [string, string];
if (how !== 'package') {
  // As on a system that the package has no build for.
  const require = createRequire(import.meta.url);
  const broken = {
    loaded: true,
    get exports(): never {
      throw new Error('no build for this system');
    },
  };
  Object.assign(require.cache, { [require.resolve('fs-native-extensions')]: broken });
}
try {
  lockJournal(file, 'the journal');
  process.stdout.write('locked\n');
  process.stdin.resume();
} catch (error) {
  if (!(error instanceof ReporterError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
