import type { Mutant } from '../mutant.js';

/** The database. */
export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: 'forget-trusts-what-it-read',
    breaks: 'A row that was reported after it was read as old is forgotten.',
    edits: [
      {
        file: 'src/store/mysql/old-rows.ts',
        find: 'FORCE INDEX (PRIMARY) WHERE ts<',
        replace: 'FORCE INDEX (PRIMARY) WHERE ts<9000000000+',
      },
    ],
    tests: [
      {
        file: 'test/store/mysql/old-rows.test',
        titles: ['a row that is reported after*', 'beside a writer*'],
      },
    ],
  },
  {
    name: 'forget-locks-the-table',
    breaks: 'Forgetting waits for rows that it does not remove, and holds up their writers.',
    edits: [
      { file: 'src/store/mysql/old-rows.ts', find: 'AS old FORCE INDEX', replace: 'AS old IGNORE INDEX' },
    ],
    tests: [{ file: 'test/store/mysql/old-rows.test', titles: ['a row that stays locked*'] }],
  },
  {
    name: 'session-of-old-timeout',
    breaks:
      'A session goes on with the lock wait of another time-out, so that a locked row costs it its connection.',
    edits: [
      {
        file: 'src/store/mysql/store.ts',
        find: 'if (session.queryTimeoutMs === this.#settings.queryTimeoutMs) return session;',
        replace: 'if (session.queryTimeoutMs > 0) return session;',
      },
    ],
    tests: [{ file: 'test/store/mysql/mysql.test', titles: ['time-outs may change*'] }],
  },
  {
    name: 'no-fence',
    breaks: 'A statement whose connection was lost may take effect after newer ones.',
    edits: [
      {
        file: 'src/store/mysql/fence.ts',
        find: 'await takeLock(query, lane.journalId, lane.partition, options);',
        replace: 'void [query, lane, options];',
      },
    ],
    tests: [{ file: 'test/store/mysql/fence.test', titles: ['a statement that outlives*'] }],
  },
  {
    name: 'no-fence-between-runs',
    breaks: 'A statement of an earlier run may take effect after newer ones of this run.',
    edits: [
      {
        file: 'src/store/mysql/fence.ts',
        find: 'if (holder === null) continue;',
        replace: 'if (holder !== undefined) continue;',
      },
    ],
    tests: [{ file: 'test/store/mysql/fence.test', titles: ['a new run with*'] }],
  },
  {
    name: 'commit-killed',
    breaks: 'A session in its commit is killed, which ends a MySQL whose disk is full.',
    edits: [
      {
        file: 'src/store/mysql/sessions.ts',
        find: 'return !COMMITS_NOTHING.test(command) && COMMITTING',
        replace: 'return COMMITS_NOTHING.test(command) && COMMITTING',
      },
    ],
    tests: [{ file: 'test/mysql/full-disk.test', server: 'mysql' }],
  },
  {
    name: 'replica-forbids-kill',
    breaks: 'While a replica is connected, no session that hangs is ever killed, and its rows wait.',
    edits: [
      { file: 'src/store/mysql/sessions.ts', find: '(sleep|daemon|binlog dump)', replace: '(sleep|daemon)' },
    ],
    tests: [{ file: 'test/store/mysql/sessions.test', titles: ['a session that serves a replica*'] }],
  },
  {
    name: 'connection-blames-rows',
    breaks: 'Rows are blamed for a failure of a statement that held none of them.',
    edits: [
      {
        file: 'src/store/mysql/errors.ts',
        find: "blamesRows ? { class: 'retry-slowly' } : verdict",
        replace: 'blamesRows ? verdict : verdict',
      },
    ],
    tests: [{ file: 'test/store/mysql/errors.test', titles: ['a failure of anything but*'] }],
  },
  {
    name: 'store-beyond-its-reserve',
    breaks: 'The embedded store writes without asking whether its file has room: lmdb meets the full disk.',
    edits: [
      {
        file: 'src/store/embedded/store.ts',
        find: 'bytesFor(batch.length, rows, reserve),',
        replace: '-1e12,',
      },
    ],
    tests: [{ file: 'test/store/embedded/embedded.test', titles: ['a full disk rejects*'] }],
  },
  {
    name: 'moved-store-confirms',
    breaks: 'Rows count as stored in an embedded store that was moved or deleted.',
    edits: [
      {
        file: 'src/store/embedded/store.ts',
        find: 'if (displacement) throw displacement;',
        replace: 'void displacement;',
      },
    ],
    tests: [{ file: 'test/faults/moved.test', titles: ['an embedded store that is moved away*'] }],
  },
  {
    name: 'tls-any-name',
    breaks: 'The certificate of a database may be for any host, and the password goes to whoever has one.',
    edits: [
      {
        file: 'src/store/mysql/secure.ts',
        find: "if (tls.mode !== 'verify-full') return undefined;",
        replace: "if (tls.mode !== 'off') return undefined;",
      },
    ],
    tests: [
      { file: 'test/store/mysql/tls.test', titles: ['a certificate that has ended, of another name*'] },
    ],
  },
  {
    name: 'tls-any-authority',
    breaks: 'The certificate of a database may be of anybody.',
    edits: [
      {
        file: 'src/store/mysql/secure.ts',
        find: 'rejectUnauthorized: verifies,',
        replace: 'rejectUnauthorized: false,',
      },
    ],
    tests: [{ file: 'test/store/mysql/tls.test', titles: ['a self-signed certificate*'] }],
  },
  {
    name: 'password-before-tls',
    breaks: 'The password is given before it is known whose certificate the server has.',
    edits: [
      {
        file: 'src/store/mysql/mysql-connection.ts',
        find: 'if (problem) fail(problem);',
        replace: "if (problem && server.tls.ca === '') fail(problem);",
      },
    ],
    tests: [
      { file: 'test/store/mysql/tls.test', titles: ['a certificate that has ended, of another name*'] },
    ],
  },
  {
    name: 'any-server-key',
    breaks: 'Without TLS, the password goes out encrypted with a key that whoever is in between has sent.',
    edits: [
      {
        file: 'src/store/mysql/secure.ts',
        find: 'return isOnTheNetwork(server) ? { authPlugins: GUARDED } : {};',
        replace: 'return {};',
      },
    ],
    tests: [{ file: 'test/store/mysql/tls.test', titles: ['without TLS, no password*'] }],
  },
  {
    name: 'old-password-kept',
    breaks: 'A new password of the database is used after a restart only.',
    edits: [
      {
        file: 'src/store/mysql/store.ts',
        find: 'if (url === live.url) return server;',
        replace: "if (url !== '') return server;",
      },
    ],
    tests: [{ file: 'test/faults/secrets.test', titles: ['a new password in its file*'] }],
  },
  {
    name: 'exposed-store-unsaid',
    breaks: 'Rows go over the network in the clear, and nobody is told.',
    edits: [
      {
        file: 'src/store/store-tls.ts',
        find: "if (mode !== 'off' || isLoopback(address.host)) return undefined;",
        replace: "if (mode !== 'off' || isLoopback(address.host) || mode === 'off') return undefined;",
      },
    ],
    tests: [{ file: 'test/store/store-tls.test', titles: ['a reporter says once*'] }],
  },
  {
    name: 'copied-journal-by-one-lock',
    breaks:
      'doctor finds no copy of a journal whose reporter has stored rows of other partitions than the first few.',
    edits: [
      {
        file: 'src/store/mysql/fence.ts',
        find: 'yield { partition: from + index, holder: Number(holder) };',
        replace: 'if (from === 0) yield { partition: from + index, holder: Number(holder) };',
      },
    ],
    tests: [{ file: 'test/store/mysql/server-diagnosis.test', titles: ['a copy whose reporter*'] }],
  },
  {
    name: 'incident-end-unwritten',
    breaks: 'In the table of incidents each runs for ever.',
    edits: [
      {
        file: 'src/store/mysql/mysql-incidents.ts',
        find: "const NEWER = ['ended', 'peak_hot',",
        replace: "const NEWER = ['peak_hot',",
      },
    ],
    tests: [{ file: 'test/store/mysql/mysql-incidents.test', titles: ['incidents are in the table*'] }],
  },
];
