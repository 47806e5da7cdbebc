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
  {
    name: 'hosted-for-all',
    breaks: 'Through a server of the host, every machine is served without a token.',
    edits: [
      {
        file: 'src/admin/hosted.ts',
        find: 'return isOfThisMachine(request.socket.remoteAddress) ? undefined : NOT_THIS_MACHINE;',
        replace: 'return undefined;',
      },
    ],
    tests: [{ file: 'test/flow/hosted-page.test', titles: ['without a token and a role*'] }],
  },
  {
    name: 'viewer-changes',
    breaks: 'Whom the host lets read may change dead letters.',
    edits: [
      {
        file: 'src/admin/guard.ts',
        find: "if (changes && given !== 'admin') return HOST_READS_ONLY;",
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/hosted-page.test', titles: ['who the host has checked*'] }],
  },
];
