/** A schedule broke a promise; the message says which. */
export class Broken extends Error {
  override name = 'Broken';
}

export function expectThat(isTrue: boolean, say: () => string): void {
  if (!isTrue) throw new Broken(say());
}
