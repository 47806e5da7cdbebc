/** Where a text stops being JSON. Lines and columns count from 1. */
export interface JsonProblem {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
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

function problemAt(text: string, at: number, expected: string): JsonProblem {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: before.length, column: before.at(-1)!.length + 1, expected };
}
