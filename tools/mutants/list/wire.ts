import type { Mutant } from '../mutant.js';

/** What agents send: frames and reports. */
export const WIRE_MUTANTS: readonly Mutant[] = [
  {
    name: 'counters-wrap',
    breaks: 'A counter that does not fit the table is stored as a negative number.',
    edits: [
      { file: 'src/wire/messages.ts', find: 'return row.MAX_COUNTER;', replace: 'return counter | 0;' },
    ],
    tests: [{ file: 'test/wire/messages.test', titles: ['counters that do not fit*'] }],
  },
  {
    name: 'field-over-the-end',
    breaks: 'A field of a report may run over its end, into whatever lies behind it.',
    edits: [
      { file: 'src/wire/messages.ts', find: 'reader.len = end;', replace: 'reader.len = bytes.length;' },
      {
        file: 'src/wire/messages.ts',
        find: "if (reader.pos !== end) throw new RangeError('a field runs over the end of its report');",
        replace: '',
      },
    ],
    tests: [{ file: 'test/wire/messages.test', titles: ['nothing but the body*'] }],
  },
  {
    name: 'field-over-its-result',
    breaks: 'A field of a result may run over its end, into the next one.',
    edits: [
      {
        file: 'src/wire/messages.ts',
        find: "if (reader.pos !== end) throw new RangeError('a field runs over the end of its result');",
        replace: '',
      },
    ],
    tests: [{ file: 'test/wire/messages.test', titles: ['bytes are refused exactly*'] }],
  },
  {
    name: 'any-length',
    breaks: 'A header may claim a body of any length, and its connection waits for it.',
    edits: [
      {
        file: 'src/wire/frame.ts',
        find: 'length < 0 || length > this.#maxBodyBytes',
        replace: 'length < 0',
      },
    ],
    tests: [{ file: 'test/wire/frame.test', titles: ['a header that claims*', 'frames in front*'] }],
  },
  {
    name: 'strict-no-more',
    breaks: 'Whatever follows the id of reports is taken for a frame.',
    edits: [
      {
        file: 'src/wire/resync.ts',
        find: "if (!isStrictReport(bytes, at + HEADER_BYTES, end)) return 'none';",
        replace: '',
      },
    ],
    tests: [{ file: 'test/wire/resync.test', titles: ['eight bytes that look like a header*'] }],
  },
  {
    name: 'search-forgotten',
    breaks: 'Who goes on with the search of another process takes the first header for a frame.',
    edits: [
      {
        file: 'src/wire/resumed-decoder.ts',
        find: 'const isAtFrame = this.#skipped === 0 && isHeader',
        replace: 'const isAtFrame = isHeader',
      },
    ],
    tests: [{ file: 'test/wire/resync.test', titles: ['who goes on with a search*'] }],
  },
];
