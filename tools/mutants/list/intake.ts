import type { Mutant } from '../mutant.js';

/** Between sockets and the router. */
export const INTAKE_MUTANTS: readonly Mutant[] = [
  {
    name: 'credit-without-end',
    breaks: 'A connection is read on, however much of what it sent is not journaled.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'if (this.#unpaidBytes > WINDOW_BYTES) this.park();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/backpressure.test', titles: ['while one writer cannot journal*'] }],
  },
  {
    name: 'resumed-as-new',
    breaks: 'After a crash a stream is read as if it stood at the beginning of a frame.',
    edits: [
      {
        file: 'src/intake/past.ts',
        find: '{ ...NO_PAST, isSearching: isTrusted, isTrusted,',
        replace: '{ ...NO_PAST, isTrusted,',
      },
    ],
    tests: [{ file: 'test/keeper/crash.test', titles: ['a frame that was half read*'] }],
  },
  {
    name: 'rest-not-handed',
    breaks: 'Half a frame that was read is not handed over.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'Buffer.concat([decoder.rest(), ...buffered(socket)])',
        replace: 'Buffer.concat(buffered(socket))',
      },
    ],
    tests: [{ file: 'test/keeper/hand-over.test', titles: ['a hand-over closes no connection*'] }],
  },
  {
    name: 'deny-ignored',
    breaks: 'An address that may not connect is let in.',
    edits: [
      {
        file: 'src/intake/gate.ts',
        find: 'if (this.#of(deny).has(address)) return false;',
        replace: 'if (deny.length < 0) return false;',
      },
    ],
    tests: [{ file: 'test/hostile/gate.test', titles: ['an address that may not connect*'] }],
  },
  {
    name: 'throttled-reads-on',
    breaks: 'An address that has sent too many reports is read on at once.',
    edits: [
      {
        file: 'src/intake/address-use.ts',
        find: 'for (const reader of this.#readers) reader.park();',
        replace: '',
      },
      {
        file: 'src/intake/address-use.ts',
        find: 'return this.#waiting !== undefined;',
        replace: 'return false;',
      },
    ],
    tests: [{ file: 'test/hostile/gate.test', titles: ['more reports a second*'] }],
  },
  {
    name: 'foreign-uncounted',
    breaks: 'Rows that are refused for their caller are in no ledger.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'refused.received += count;\n    refused.rejected += count;',
        replace: 'refused.received += 0;',
      },
    ],
    tests: [{ file: 'test/hostile/gate.test', titles: ['a report that names another machine*'] }],
  },
  {
    name: 'header-half-lost',
    breaks: 'What was read of a header of a balancer is not handed over.',
    edits: [
      {
        file: 'src/intake/proxied-streams.ts',
        find: 'Buffer.concat([bytes, ...buffered(socket)])',
        replace: 'Buffer.concat(buffered(socket))',
      },
    ],
    tests: [{ file: 'test/keeper/proxied.test', titles: ['whom a balancer speaks for*'] }],
  },
  {
    name: 'peer-forgotten',
    breaks: 'After a kill a connection of a balancer counts as the balancer.',
    edits: [{ file: 'src/intake/past.ts', find: 'isTrusted, peer };', replace: 'isTrusted };' }],
    tests: [{ file: 'test/keeper/proxied.test', titles: ['whom a balancer speaks for*'] }],
  },
  {
    name: 'rules-for-new-only',
    breaks: 'Who may not send any more after a reload sends on.',
    edits: [
      {
        file: 'src/intake/listener.ts',
        find: '      connection.close();\n    }\n  }\n\n  /** Takes no new',
        replace: '    }\n  }\n\n  /** Takes no new',
      },
    ],
    tests: [{ file: 'test/keeper/proxied.test', titles: ['who may not send any more*'] }],
  },
  {
    name: 'keys-without-bound',
    breaks: 'One address may fill the room that there is for keys.',
    edits: [
      {
        file: 'src/intake/address-use.ts',
        find: 'this.#peerNumber > 0 && !this.#limits.hasRoom(this.#peerNumber)',
        replace: 'this.#peerNumber < 0',
      },
    ],
    tests: [{ file: 'test/hostile/gate.test', titles: ['an address with as many pending keys*'] }],
  },
  {
    name: 'tls-silence-is-news',
    breaks: 'Each health check of a balancer that ends with a reset counts as a handshake that failed.',
    edits: [
      {
        file: 'src/intake/tls/handshakes.ts',
        find: 'const isNews = hasSpoken(handshake);\n    this.#drop(handshake);',
        replace: 'const isNews = true;\n    this.#drop(handshake);',
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['who leaves without a word*'] }],
  },
  {
    name: 'tls-places-never-free',
    breaks: 'The place of a handshake that has come to nothing is never free again.',
    edits: [
      {
        file: 'src/intake/tls/handshakes.ts',
        find: 'if (!this.#running.delete(handshake)) return;',
        replace: 'if (this.#running.has(handshake)) return;',
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['half-open handshakes of one address*'] }],
  },
  {
    name: 'tls-address-impatient',
    breaks: 'Handshakes that do not end keep the share of their address, although others of it wait.',
    edits: [
      {
        file: 'src/intake/tls/handshakes.ts',
        find: 'if (isAny || this.#line.countOf(handshake.peer) > 0) return handshake;',
        replace: 'if (isAny) return handshake;',
      },
    ],
    tests: [
      { file: 'test/hostile/tls.test', titles: ['half-open handshakes give up their places to others of*'] },
    ],
  },
  {
    name: 'tls-crowd-keeps-places',
    breaks: 'Connections of one address that wait for a handshake keep those of others out.',
    edits: [
      {
        file: 'src/intake/listener.ts',
        find: '&& !handshakes.makeRoomFor(peer)',
        replace: '',
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['an address of which many wait*'] }],
  },
  {
    name: 'tls-star-for-anything',
    breaks: 'An address of mail passes for the name of a machine.',
    edits: [
      {
        file: 'src/intake/tls/peer-certificate.ts',
        find: 'LABEL.test(name.slice(0, dot))',
        replace: 'dot > 0',
      },
    ],
    tests: [{ file: 'test/intake/tls/peer-certificate.test', titles: ['names are compared*'] }],
  },
  {
    name: 'tls-names-ignored',
    breaks: 'A certificate of any name is let in.',
    edits: [
      {
        file: 'src/intake/tls/peer-certificate.ts',
        find: 'names.some((name) => isNamed(name, setOf(rules.allowNames, inSmall)))',
        replace: 'names.length > 0',
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['only certificates with a name*'] }],
  },
  {
    name: 'tls-stranger-trusted',
    breaks: 'A certificate counts, whoever has signed it.',
    edits: [
      {
        file: 'src/intake/tls/handshakes.ts',
        find: 'const isTrusted = isVerified && socket.authorized;',
        replace: 'const isTrusted = isVerified;',
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['who shows no certificate*'] }],
  },
  {
    name: 'tls-end-before-read',
    breaks: 'A hand-over ends connections with TLS before what their agents sent is read.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: '    this.socket.end();',
        replace: '    this.socket.destroy();',
      },
    ],
    tests: [{ file: 'test/keeper/tls.test', titles: ['a hand-over ends connections with TLS*'] }],
  },
  {
    name: 'tls-gate-behind',
    breaks: 'Who may not connect is shown the certificate first.',
    edits: [
      {
        file: 'src/intake/listener.ts',
        find: 'const denial = this.#options.gate.denialOf(peer, handshakes.countOf(peer));',
        replace: "const denial = undefined as ReturnType<Gate['denialOf']>;",
      },
    ],
    tests: [{ file: 'test/hostile/tls.test', titles: ['the gate looks before the handshake*'] }],
  },
  {
    name: 'tls-lost-in-order',
    breaks: 'After a crash a connection with TLS ends as if everything had arrived.',
    edits: [
      {
        file: 'src/intake/listener.ts',
        find: '      if (stream?.isLost) this.#domain.traffic.tls.lost++;\n      socket.resetAndDestroy();',
        replace: '      if (stream?.isLost) this.#domain.traffic.tls.lost++;\n      socket.destroy();',
      },
    ],
    tests: [{ file: 'test/keeper/tls.test', titles: ['a kill of the process that reads*'] }],
  },
  {
    name: 'handler-without-bound',
    breaks: 'A handler of the host gets every frame, however many it has not finished.',
    edits: [
      {
        file: 'src/intake/handler-load.ts',
        find: 'if (this.#frames >= maxFrames || this.#bytes + bytes > maxBytes) return false;',
        replace: '',
      },
    ],
    tests: [{ file: 'test/hostile/handlers.test', titles: ['a flood to an actor*'] }],
  },
  {
    name: 'handler-waited-for',
    breaks: 'A connection waits for ever for a handler that never ends.',
    edits: [
      {
        file: 'src/intake/handlers.ts',
        find: 'this.#tellSlow(frame, handling);\n        resolve();',
        replace: 'this.#tellSlow(frame, handling);',
      },
    ],
    tests: [{ file: 'test/hostile/handlers.test', titles: ['a handler that never ends*'] }],
  },
  {
    name: 'handler-holds-all',
    breaks: 'What is with handlers counts as not journaled, so that it keeps others waiting.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'if (open === 0) this.#paid(bytes);\n    };',
        replace: 'if (open === 0) this.#discarded(bytes);\n    };',
      },
      {
        file: 'src/intake/connection.ts',
        find: 'domain.budget.journaled(bytes);\n      done();',
        replace: 'done();',
      },
    ],
    tests: [{ file: 'test/hostile/handlers.test', titles: ['a handler that never ends*'] }],
  },
  {
    name: 'replies-short-for-nothing',
    breaks: 'A short reply that waits counts with its few bytes alone.',
    edits: [
      { file: 'src/intake/replies.ts', find: 'const WRITE_BYTES = 256;', replace: 'const WRITE_BYTES = 0;' },
    ],
    tests: [{ file: 'test/intake/replies.test', titles: ['short replies count*'] }],
  },
  {
    name: 'replies-without-bound',
    breaks: 'All peers together may leave any amount of replies unread.',
    edits: [
      {
        file: 'src/intake/replies.ts',
        find: 'else if (this.#totalBytes > this.#limits.maxTotalBytes) this.#closeLargest();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/intake/replies.test', titles: ['when all together*'] }],
  },
];
