/** Times that say when something was last heard. They change all the time, and nobody reads the seconds of all. */
const HEARD = new Set(['lastHeard', 'lastCall', 'heard']);
/** `2026-11-27T02:14:0`: ten seconds are one. */
const TEN_SECONDS = 18;

/** A text by which two values of an answer are told apart, but for seconds of when something was last heard. */
export function shownAs(value: unknown): string {
  return JSON.stringify(value, (name, inner: unknown) =>
    typeof inner === 'string' && HEARD.has(name) ? inner.slice(0, TEN_SECONDS) : inner,
  );
}

/** What is known of each name, to tell what differs. */
export class Known<Value> {
  #shown = new Map<string, string>();

  /** Takes the values of now. Returns those that are new or others, and the names that are gone. */
  compare(values: readonly (readonly [name: string, value: Value])[]): {
    readonly changed: readonly Value[];
    readonly gone: readonly string[];
  } {
    const shown = new Map<string, string>();
    const changed: Value[] = [];
    for (const [name, value] of values) {
      const text = shownAs(value);
      shown.set(name, text);
      if (this.#shown.get(name) !== text) changed.push(value);
    }
    const gone = [...this.#shown.keys()].filter((name) => !shown.has(name));
    this.#shown = shown;
    return { changed, gone };
  }
}

/** One value that is watched. */
export class Watched {
  #shown: string | undefined;

  /** Whether it differs from the last time. */
  differs(value: unknown): boolean {
    const text = value === undefined ? undefined : shownAs(value);
    if (text === this.#shown) return false;
    this.#shown = text;
    return true;
  }
}
