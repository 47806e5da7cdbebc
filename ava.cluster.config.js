/** The tests that need NATS servers, for `npm run test:cluster`. */
export default {
  files: ['dist/test/journal/jetstream/*.test.js'],
  cache: false,
  concurrency: 2,
  timeout: '3m',
  workerThreads: false,
};
