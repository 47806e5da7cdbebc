import type { Mutant } from '../mutant.js';

/** The admin HTTP. */
export const ADMIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'certificate-not-renewed',
    breaks: 'The admin HTTP shows the certificate it was started with until it is restarted.',
    edits: [
      {
        file: 'src/admin/http.ts',
        find: 'app.server.setSecureContext(certificate);',
        replace: 'app.server.ref();',
      },
    ],
    tests: [{ file: 'test/admin/https.test', titles: ['another certificate*'] }],
  },
  {
    name: 'handshake-without-end',
    breaks: 'Who begins a handshake with the admin HTTP and never ends it keeps a connection.',
    edits: [
      {
        file: 'src/admin/http.ts',
        find: 'handshakeTimeout: limits.headersMs',
        replace: 'handshakeTimeout: 0x7fffffff',
      },
    ],
    tests: [{ file: 'test/admin/https.test', titles: ['a handshake that*'] }],
  },
];
