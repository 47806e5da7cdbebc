import type { Edit, Mutant } from '../mutant.js';

const ROOM = 'src/journal/jetstream';

/** Caught by tests of the journal on JetStream, which need its servers. */
function caughtBy(
  test: string,
  title: string,
  name: string,
  breaks: string,
  ...edits: readonly Edit[]
): Mutant {
  const file = `test/journal/jetstream/${test}.test`;
  return { name, breaks, edits, tests: [{ file, titles: [title], server: 'nats' }] };
}

/** The journal on JetStream. */
export const JETSTREAM_MUTANTS: readonly Mutant[] = [
  caughtBy(
    'owners',
    'who replays a partition*',
    'replay-without-epoch',
    'A partition is replayed before its earlier owner is kept from appending.',
    {
      file: `${ROOM}/chain.ts`,
      find: 'const outcome = await appendIf(this.#place, subjects.log, label, NOTHING);',
      replace: "const outcome = { kind: 'appended', position: label.previous };",
    },
  ),
  caughtBy(
    'owners',
    'a snapshot that an earlier*',
    'head-unclaimed',
    'An earlier owner publishes a snapshot, and purges, while the new one reads.',
    {
      file: `${ROOM}/partition-head.ts`,
      find: 'const outcome = await this.#publish(revision, head);',
      replace:
        "const outcome = { kind: 'appended' };\n        this.#head = head;\n        this.#revision = revision;",
    },
  ),
  caughtBy(
    'unanswered',
    'an append whose*',
    'own-record-is-anothers',
    'A record whose confirmation was lost counts as that of another owner.',
    { file: `${ROOM}/label.ts`, find: 'a.incarnation === b.incarnation && ', replace: 'a === b && ' },
  ),
  caughtBy(
    'replay',
    '*behind a snapshot*',
    'log-purged-empty',
    'A snapshot purges the last message of a log, so that an append that expects 0 is taken.',
    {
      file: `${ROOM}/purge.ts`,
      find: '[subjects.log, value.position]',
      replace: '[subjects.log, value.position + 1]',
    },
  ),
  caughtBy(
    'contract',
    '*a refused row is a dead letter*',
    'letters-purged',
    'A snapshot leaves the dead letters of what it purges behind.',
    { file: `${ROOM}/owned-partition.ts`, find: 'letters: this.letters.all()', replace: 'letters: []' },
  ),
  caughtBy(
    'owners',
    'an entry of which*',
    'half-an-entry',
    'The parts of an entry whose owner was killed in between count as the entry.',
    {
      file: `${ROOM}/log-reader.ts`,
      find: 'if (this.#parts.length < label.parts) return undefined;',
      replace: '',
    },
  ),
  caughtBy(
    'contract',
    '*a row carries its sender*',
    'numbers-of-another-process',
    'Rows are replayed with the peer numbers of the process that wrote them.',
    {
      file: `${ROOM}/local-peers.ts`,
      find: '(own.get(rows[at]! >>> 1) ?? 0)',
      replace: '(rows[at]! >>> 1)',
    },
  ),
  caughtBy(
    'damage',
    'records that somebody*',
    'gap-unnoticed',
    'Records that are missing in a log are not missed.',
    { file: `${ROOM}/log-walk.ts`, find: 'message.label.previous !== last', replace: 'last < 0' },
  ),
  caughtBy(
    'unanswered',
    'a server that is away*',
    'connection-given-up',
    'The connection is given up after ten attempts.',
    {
      file: `${ROOM}/nats-link.ts`,
      find: 'maxReconnectAttempts: -1,',
      replace: 'maxReconnectAttempts: 10,',
    },
  ),
  caughtBy(
    'servers',
    'one server of three*',
    'one-version-checked',
    'The version of the server that answered first is checked, and that of no other.',
    {
      file: `${ROOM}/nats-link.ts`,
      find: '[...servers, ...(this.#client.info?.connect_urls ?? [])]',
      replace: 'servers',
    },
  ),
];
