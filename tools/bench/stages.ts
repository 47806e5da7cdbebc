export interface Stage {
  readonly name: string;
  /** Of `file:function`, as `nameOf` gives it. */
  readonly patterns: readonly RegExp[];
}

/**
 * The stages of a row, in the order in which they are asked: the first one with a pattern that fits has the function.
 * A test holds each pattern against the functions there are.
 */
export const STAGES: readonly Stage[] = [
  { name: 'idle', patterns: [/^:\(idle\)/] },
  { name: 'garbage collection', patterns: [/^:\(garbage collector\)/] },
  { name: 'the profiler itself', patterns: [/^node:inspector/] },
  { name: 'frame', patterns: [/^wire\/frame/] },
  { name: 'decode', patterns: [/^wire\/messages/, /^protobufjs\//, /^model\/row-buffer/] },
  { name: 'SQL text', patterns: [/^store\/mysql\/upsert/] },
  {
    // The reporter writes to no other sockets than the database's.
    name: 'driver, write to the socket',
    patterns: [/^mysql2\//, /^sql-escaper\//, /^store\/mysql\//, /^node:internal\/stream_base_commons/],
  },
  {
    name: 'order, take, confirm',
    patterns: [
      /^partition\/order/,
      /^partition\/pending\.js:pass$/,
      /^partition\/pass/,
      /^partition\/marks\.js:waiting$/,
      /^partition\/pending\.js:take$/,
      /^partition\/pending\.js:unchangedKeys$/,
      /^partition\/pending\.js:confirm$/,
      /^partition\/pending\.js:release$/,
      /^partition\/rowmap\.js:remove$/,
    ],
  },
  { name: 'fold', patterns: [/^partition\/pending/] },
  {
    name: 'route: merge',
    patterns: [/^routing\//, /^partition\/hash/, /^partition\/rowmap/, /^murmurhash3js-revisited\//],
  },
  {
    name: 'journal',
    patterns: [
      /^journal\//,
      /^lmdb\//,
      /^msgpackr\//,
      /^ordered-binary\//,
      /^weak-lru-cache\//,
      /^node:zlib/,
    ],
  },
  { name: 'actors', patterns: [/^runtime\//, /^intake\//, /^writer\//, /^nact\//, /^reporter\.js/] },
  { name: 'read, event loop', patterns: [/^node:/] },
];

/** The name of the stage a function belongs to. */
export function stageOf(name: string): string {
  return STAGES.find(({ patterns }) => patterns.some((pattern) => pattern.test(name)))?.name ?? 'other';
}
