/** The tests that need a database, for `npm run test:mysql` and `test:mariadb11`; those in test/mysql need MySQL. */
const isMysql = process.env.LARS_TEST_SERVER === 'mysql';

export default {
  files: [
    'dist/test/store/mysql/*.test.js',
    'dist/test/flow/wire-to-table.test.js',
    'dist/test/faults/database.test.js',
    'dist/test/faults/kill.test.js',
    'dist/test/chaos.test.js',
    ...(isMysql ? ['dist/test/mysql/*.test.js'] : []),
  ],
  cache: false,
  concurrency: 2,
  timeout: '3m',
  workerThreads: false,
};
