/** A place in a text. Lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a text stops being JSON. */
export interface JsonProblem extends Place {
  readonly expected: string;
}

/** A name that its object has already. */
export interface RepeatedName extends Place {
  /** With those of the objects around it: `listen.port`. */
  readonly name: string;
  readonly first: Place;
}

// One token with the white space before it: punctuation | text | number or word.
const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/uy;

type Expectation = keyof typeof EXPECTED;

const EXPECTED = {
  value: 'a value',
  firstElement: 'a value or ]',
  firstName: 'a name in double quotes or }',
  name: 'a name in double quotes',
  colon: 'a colon',
  nextElement: 'a comma or ]',
  nextName: 'a comma or }',
  end: 'nothing more',
};

/**
 * Finds what keeps `text` from being JSON; undefined when nothing does. JSON.parse names no position for some
 * mistakes, and quotes the text around others – which may be a password.
 */
export function findJsonProblem(text: string): JsonProblem | undefined {
  const open: string[] = [];
  let expectation: Expectation = 'value';
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    const rest = text.slice(at);
    if (!token && rest.trim() === '') break;
    const next: Expectation | undefined = token ? follow(expectation, token, open) : undefined;
    if (!next) {
      const start = at + (rest.length - rest.replace(/^[ \t\r\n]+/, '').length);
      const broken =
        !token && text[start] === '"' ? 'a text closed on its line, with valid escapes' : undefined;
      return problemAt(text, start, broken ?? EXPECTED[expectation]);
    }
    expectation = next;
    at = TOKEN.lastIndex;
  }
  return expectation === 'end' ? undefined : problemAt(text, text.length, EXPECTED[expectation]);
}

/** What may come after `token` where `expectation` stood; undefined when the token may not stand there. */
function follow(expectation: Expectation, token: RegExpExecArray, open: string[]): Expectation | undefined {
  const [, mark, text] = token;
  const after = (): Expectation => {
    const inside = open.at(-1);
    if (inside === undefined) return 'end';
    return inside === '[' ? 'nextElement' : 'nextName';
  };
  switch (expectation) {
    case 'value':
    case 'firstElement':
      if (mark === '{' || mark === '[') {
        open.push(mark);
        return mark === '{' ? 'firstName' : 'firstElement';
      }
      if (mark === undefined) return after();
      break;
    case 'name':
    case 'firstName':
      if (text !== undefined) return 'colon';
      break;
    case 'colon':
      return mark === ':' ? 'value' : undefined;
    case 'nextElement':
    case 'nextName':
      if (mark === ',') return expectation === 'nextElement' ? 'value' : 'name';
      break;
    case 'end':
      return undefined;
  }
  const closes = expectation === 'firstElement' || expectation === 'nextElement' ? ']' : '}';
  if (mark !== closes || expectation === 'value' || expectation === 'name') return undefined;
  open.pop();
  return after();
}

/** Finds the names that an object has more than once in `text`, which is JSON. However they are spelled. */
export function findRepeatedNames(text: string): RepeatedName[] {
  const repeated: RepeatedName[] = [];
  // Lists are levels, too: what is in them has the name of the list.
  const levels: { readonly names: Map<string, number>; readonly path: readonly string[] }[] = [];
  let last: { readonly name: string; readonly at: number } | undefined;
  let path: readonly string[] = [];
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text); token; token = TOKEN.exec(text)) {
    const [whole, mark, quoted] = token;
    const level = levels.at(-1);
    if (quoted !== undefined) {
      last = { name: JSON.parse(quoted) as string, at: token.index + whole.length - quoted.length };
    } else if (mark === ':' && last && level) {
      path = [...level.path, last.name];
      const first = level.names.get(last.name);
      if (first === undefined) level.names.set(last.name, last.at);
      else repeated.push({ name: path.join('.'), ...placeOf(text, last.at), first: placeOf(text, first) });
    } else if (mark === '{' || mark === '[') {
      levels.push({ names: new Map(), path });
    } else if (mark === '}' || mark === ']') {
      path = levels.pop()!.path;
    }
  }
  return repeated;
}

function problemAt(text: string, at: number, expected: string): JsonProblem {
  return { ...placeOf(text, at), expected };
}

function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
